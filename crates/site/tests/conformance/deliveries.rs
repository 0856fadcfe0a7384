//! What waits to be delivered.

use usher_site::{Change, DeliveryRow, DestinationRow, NewDelivery, NewMessage, Said, Site};

use crate::common::*;

fn to(destination: &str) -> NewDelivery {
    NewDelivery {
        rule: "low".to_owned(),
        destination: destination.to_owned(),
        message: "{}".to_owned(),
        since_ms: 60,
    }
}

pub(crate) async fn keeps_what_waits_until_it_is_delivered_or_given_up(site: &dyn Site) {
    let message = |is_kept, to: Vec<NewDelivery>| {
        Said::New(Box::new(NewMessage {
            row: message(9442, 60, None),
            is_kept,
            deliveries: to,
        }))
    };
    let waits = async || {
        let it = site.resume().await.unwrap();
        (it.deliveries, it.destinations)
    };
    let changes = vec![
        Change::Message(message(true, vec![to("ann"), to("ben")])),
        Change::Message(message(false, vec![to("ann")])),
    ];
    let kept = site.record(changes).await.unwrap();
    let record = kept[0].record_id.unwrap();
    let again = site.deliver_again(record, vec![to("ben")]).await.unwrap();
    let ids = [&kept[0].deliveries[..], &kept[1].deliveries, &again].concat();
    let row = |at: usize, record_id, destination: &str| DeliveryRow {
        id: ids[at],
        record_id,
        rule: "low".to_owned(),
        destination: destination.to_owned(),
        message: "{}".to_owned(),
        since_ms: 60,
        is_told: false,
    };
    let all = [
        row(0, Some(record), "ann"),
        row(1, Some(record), "ben"),
        row(2, None, "ann"),
        row(3, Some(record), "ben"),
    ];
    assert_eq!(waits().await, (all.to_vec(), Vec::new()));
    let failing = |destination: &str, tries, given_up| DestinationRow {
        destination: destination.to_owned(),
        since_ms: 61,
        tries,
        why: "the relay is down".to_owned(),
        given_up,
    };
    let ann = |tries, given_up| failing("ann", tries, given_up);
    site.put_off(Some(ids[0]), true, ann(3, 0)).await.unwrap();
    site.put_off(None, false, failing("ben", 1, 0))
        .await
        .unwrap();
    let told = DeliveryRow {
        is_told: true,
        ..all[0].clone()
    };
    let (deliveries, destinations) = waits().await;
    assert_eq!(deliveries[0], told);
    assert_eq!(destinations, [ann(3, 0), failing("ben", 1, 0)]);
    // One is given up, and its destination goes on to take nothing.
    site.give_up(Some(ids[0]), Some(ann(3, 1))).await.unwrap();
    // Another is refused for itself alone.
    site.give_up(Some(ids[2]), None).await.unwrap();
    site.delivered(Some(ids[1]), "ben".to_owned())
        .await
        .unwrap();
    assert_eq!(waits().await, (vec![all[3].clone()], vec![ann(3, 1)]));
    let named = vec!["ann".to_owned()];
    site.set_rules("[]".to_owned(), named).await.unwrap();
    assert_eq!(waits().await.1, [ann(3, 1)]);
    site.set_rules("[]".to_owned(), Vec::new()).await.unwrap();
    assert_eq!(waits().await, (vec![all[3].clone()], Vec::new()));
    site.delivered(Some(ids[3]), "ben".to_owned())
        .await
        .unwrap();
    assert_eq!(waits().await, (Vec::new(), Vec::new()));
}
