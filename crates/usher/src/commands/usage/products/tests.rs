//! Sums by product, as they are listed.

use super::*;

fn used(product: &str, sessions: u64) -> Line {
    let last = (sessions > 0).then(|| "2026-03-01T09:00:00Z".parse().unwrap());
    Line {
        product: product.into(),
        sessions,
        running: 0,
        unseated: 0,
        users: sessions,
        computers: sessions,
        total_seconds: sessions * 90,
        unseated_seconds: 0,
        last_used_at: last,
        unseen: None,
        removed: false,
        seats: None,
        prices: Vec::new(),
    }
}

fn owned() -> Line {
    let price = |text: &str| serde_json::from_str(text).unwrap();
    Line {
        seats: Some(4),
        prices: vec![
            price(r#"{"amount": 5000, "currency": "EUR", "per": "year"}"#),
            price(r#"{"amount": 99.5, "currency": "USD", "per": "once"}"#),
        ],
        ..used("fea", 0)
    }
}

fn shown(items: &[Line], csv: bool) -> String {
    let last = time::local("2026-03-01T09:00:00Z".parse().unwrap());
    let table = usage_table(items, Form { csv });
    let text = match csv {
        true => table.csv().unwrap(),
        false => table.text(),
    };
    text.replace(&last, "NINE O'CLOCK")
}

#[test]
fn what_is_owned_and_was_never_used_stands_beside_what_was() {
    let both = Line {
        seats: Some(2),
        ..used("cad", 3)
    };
    let gone = Line {
        removed: true,
        seats: Some(0),
        ..used("old", 1)
    };
    insta::assert_snapshot!(shown(&[both.clone(), owned(), gone.clone()], false), @r"
        PRODUCT        SESSIONS  RUNNING  UNSEATED  USERS  COMPUTERS        TIME  UNSEATED FOR  LAST USED            SEATS  PRICE
        cad                   3        0         0      3          3  4 min 30 s           0 s  NINE O'CLOCK      2  -
        fea                   0        0         0      0          0         0 s           0 s  never used               4  5000 EUR/year + 99.50 USD once
        old (removed)         1        0         0      1          1  1 min 30 s           0 s  NINE O'CLOCK      0  -
        ");
    insta::assert_snapshot!(shown(&[both.clone(), owned(), gone], true), @r"
        product,sessions,running,unseated,users,computers,time_seconds,unseated_seconds,last_used,removed,seats,price_eur_year,price_usd_once
        cad,3,0,0,3,3,270,0,NINE O'CLOCK,,2,,
        fea,0,0,0,0,0,0,0,never used,,4,5000,99.50
        old,1,0,0,1,1,90,0,NINE O'CLOCK,removed,0,,
        ");
    let unpriced = shown(&[both], false);
    assert!(unpriced.contains("PRICE"), "it stays: {unpriced}");
    let own = shown(&[used("cad", 3)], false);
    assert!(!own.contains("SEATS") && !own.contains("PRICE"), "{own}");
}

#[test]
fn what_was_used_never_and_not_in_this_time_and_unseen_is_told_apart() {
    let before = Line {
        last_used_at: Some("2026-03-01T09:00:00Z".parse().unwrap()),
        ..owned()
    };
    let unseen = |why| Line {
        unseen: Some(why),
        ..owned()
    };
    let told = [
        used("cad", 1),
        before,
        owned(),
        unseen(UnseenUse::NoProgramRule),
        unseen(UnseenUse::NotWatched),
    ];
    let told: Vec<String> = told.iter().map(last_used).collect();
    let nine = time::local("2026-03-01T09:00:00Z".parse().unwrap());
    assert_eq!(
        told,
        [
            nine.clone(),
            format!("{nine} (not in this time)"),
            "never used".to_owned(),
            "not known: no program rule".to_owned(),
            "not known: not watched".to_owned(),
        ]
    );
}
