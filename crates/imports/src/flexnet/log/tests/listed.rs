//! What a daemon lists at its start, and when it reads its files again.

use super::{read, span};

#[test]
fn what_a_daemon_lists_at_its_start_says_what_a_package_consists_of() {
    let text = "\
 8:00:00 (lmgrd) TIMESTAMP 4/8/2019
 8:00:00 (d) Server started on srv for:\t
 8:00:00 (d) Suite (consisting of:\t\tDraw26\t
 8:00:00 (d) Draw25\tDraw24)\tPlay\t
 8:00:00 (d) EXTERNAL FILTERS are OFF
 8:01:00 (d) OUT: \"Suite\" ann@pc1
 8:01:00 (d) OUT: \"Draw24\" ann@pc1
 8:09:00 (d) IN: \"Draw24\" ann@pc1
 8:09:00 (d) IN: \"Suite\" ann@pc1
";
    let read = read(text);
    read.all_understood();
    assert_eq!(read.uses.len(), 1, "{:?}", read.uses);
    assert_eq!(read.uses[0].feature.name, "Suite");
    assert_eq!(read.uses[0].components, ["Draw24"]);
}

#[test]
fn a_daemon_that_reads_its_files_again_ends_no_use_although_it_lists_its_features_anew() {
    let text = "\
 8:00:00 (lmgrd) TIMESTAMP 4/8/2019
 8:00:00 (d) OUT: \"f\" ann@pc1
 8:10:00 (lmgrd) Rereading license file... Requested from root@srv
 8:10:00 (d) Rereading license file...
 8:10:00 (lmgrd) Done rereading
 8:10:01 (d) Server started on srv for:\t
 8:10:01 (d) f\tg\t
 8:10:01 (d) Updating feature f
 8:10:01 (d) ...Finished rereading
 8:30:00 (d) IN: \"f\" ann@pc1
 8:40:00 (d) OUT: \"f\" bob@pc2
 8:50:00 (d) FlexNet Licensing version v11.18.0.0 build 275847 x64_n6
 8:50:00 (d) Server started on srv for:\tf
";
    let read = read(text);
    read.all_understood();
    assert_eq!(
        read.spans(),
        [
            span("2019-04-08T08:00:00Z", "2019-04-08T08:30:00Z"),
            span("2019-04-08T08:40:00Z", "2019-04-08T08:50:00Z"),
        ]
    );
}
