//! Each command of the guide's pages for what people do is run, in the page's order, in a folder
//! that stands in for the computer's own places. systemd, sudo, Slurm, containers, Ansible and mail
//! are stood in for; Usher is the real one.

use std::path::Path;
use std::process::Command;

use crate::page::Page;
use crate::support::{Running, finish_within, said, stdout, usher};

#[test]
fn the_page_of_tls() {
    let page = Page::new("tls");
    let url = format!("$(cat {})", page.folder.path("url").display());
    page.run(&url, &page.folder.path("server"), "", "");
}

/// A page whose commands are given to a server and an agent on this computer, with a product there.
fn on_one_computer(name: &'static str, more: &str) -> (Page, Running, String) {
    let page = Page::new(name);
    let up = page.up();
    let rule = format!("path={}", page.folder.path("opt/cad/solver").display());
    if name != "limit" {
        let add = ["product", "add", "cad", "--seats", "2", "--program", &rule];
        up.ok(&add);
        up.ok(&["product", "add", "cad-pack", "--seats", "2"]);
    }
    let printed = page.run(&up.api, &up.data, more, "");
    (page, up, printed)
}

#[test]
fn the_page_of_limiting_a_program() {
    let (_page, up, printed) = on_one_computer("limit", "");
    assert!(printed.contains("path="), "learn proposes rules: {printed}");
    assert_eq!(up.json(&["product", "show", "cad"])["mode"], "track");
}

#[test]
fn the_page_of_waiting_for_a_seat() {
    let (_page, up, _) = on_one_computer("wait", "");
    // The one that `notify --when-free` keeps is the only one that is left.
    let leases = up.json(&["leases", "--product", "cad"]);
    assert!(leases["items"].as_array().unwrap().len() <= 1, "{leases}");
}

#[test]
fn the_page_of_slurm() {
    let (page, _up, printed) = on_one_computer("slurm", "");
    assert!(printed.contains("Submitted batch job"), "{printed}");
    let out = page.folder.path("work/slurm-1.out");
    let out = std::fs::read_to_string(out).unwrap();
    assert!(!out.contains("usher: "), "{out}");
}

#[test]
fn the_page_of_nagios() {
    let (page, up, printed) = on_one_computer("nagios", "");
    let lines: Vec<&str> = printed.lines().filter(|line| line.contains("OK")).collect();
    assert_eq!(lines.len(), 2, "{printed}");
    // What Nagios itself is to run does the same.
    let (_, config) = page.blocks("ini").remove(0);
    let line = config
        .lines()
        .find_map(|line| line.trim().strip_prefix("command_line"));
    let words = page.here(line.unwrap(), &up.api).replace("$ARG1$", "5");
    let words = words.replace("$ARG2$", "50");
    let words: Vec<&str> = words.split_whitespace().skip(1).collect();
    let config = page.folder.path("etc/usher/nagios.toml");
    std::fs::copy(page.folder.path("work/nagios.toml"), config).unwrap();
    let checked = finish_within(
        usher().args(words).spawn().unwrap(),
        std::time::Duration::from_secs(60),
    );
    assert_eq!(checked.status.code(), Some(0), "{}", said(&checked));
}

#[test]
fn no_page_writes_a_token_to_a_file_that_others_may_read_for_a_while() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let mut seen = 0;
    for entry in std::fs::read_dir(docs).unwrap() {
        let page = entry.unwrap().path();
        if page.extension().is_none_or(|ending| ending != "md") {
            continue;
        }
        let text = std::fs::read_to_string(&page).unwrap();
        let mut is_code = false;
        for line in text.lines() {
            is_code ^= line.trim_start().starts_with("```");
            if is_code && line.contains("token") && line.contains(" > ") {
                // In a shell of its own: what is written later is read by others. A token that is
                // made has an option for it, which empties no file.
                let is_shut = line.starts_with("(umask 077; ") && !line.contains("token create");
                assert!(is_shut, "{}: {line}", page.display());
                seen += 1;
            }
            seen += usize::from(is_code && line.contains("token create") && line.contains("--to "));
        }
    }
    assert!(seen > 4, "{seen}: what is looked for is written otherwise");
}

#[test]
fn the_page_of_what_is_owned() {
    let page = Page::new("owned");
    let up = page.up();
    let printed = page.run(&up.api, &up.data, "", "usher entitlement list");
    assert!(printed.contains("2028-12-31"), "{printed}");
}

#[test]
fn the_page_of_policies() {
    let page = Page::new("policy");
    let up = page.up();
    let printed = page.run(&up.api, &up.data, "", "");
    assert!(printed.contains("Nothing differs."), "{printed}");
    assert!(printed.contains("cad-2028"), "{printed}");
    assert!(
        printed.ends_with("true\n"),
        "nothing is left over: {printed}"
    );
}

/// Who pastes a line has the shell read all of it.
#[test]
fn what_explains_a_command_of_a_page_is_a_comment() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let mut seen = 0;
    for entry in std::fs::read_dir(docs).unwrap() {
        let page = entry.unwrap().path();
        if page.extension().is_none_or(|ending| ending != "md") {
            continue;
        }
        let text = std::fs::read_to_string(&page).unwrap();
        let mut is_code = false;
        for line in text.lines() {
            is_code ^= line.trim_start().starts_with("```");
            let command = line.strip_prefix("sudo ").unwrap_or(line);
            let is_command = ["usher ", "systemctl "]
                .iter()
                .any(|word| command.starts_with(word));
            if is_code && is_command {
                seen += 1;
                let behind = command.split_once("   ").map(|(_, rest)| rest.trim_start());
                let is_comment = behind.is_none_or(|rest| rest.starts_with('#'));
                assert!(is_comment, "{}: {line}", page.display());
            }
        }
    }
    assert!(seen > 50, "only {seen} commands were found");
}

#[test]
fn the_page_of_prometheus() {
    let (page, up, printed) = on_one_computer("prometheus", "");
    assert!(
        printed.contains("usher_seats{product=\"cad\"} 2"),
        "{printed}"
    );
    let blocks = page.blocks("yaml");
    let [(_, config), (_, alerts)] = &blocks[..] else {
        panic!("{blocks:?}");
    };
    let place = page.folder.path("etc");
    std::fs::create_dir_all(place.join("usher/tls")).unwrap();
    std::fs::write(place.join("usher/tls/ca.pem"), "").unwrap();
    std::fs::write(place.join("usher-alerts.yml"), alerts).unwrap();
    let config = page.here(config, "");
    std::fs::write(place.join("prometheus.yml"), config).unwrap();
    for words in [
        ["check", "rules", "usher-alerts.yml"],
        ["check", "config", "prometheus.yml"],
    ] {
        let mut promtool = Command::new("promtool");
        let output = promtool.args(words).current_dir(&place).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
    }
    // Each metric that the page or a rule names is one that the server or the manager gives.
    let token = std::fs::read_to_string(place.join("usher.token")).unwrap();
    let mut curl = Command::new("curl");
    curl.args([
        "-sf",
        "-H",
        &format!("Authorization: Bearer {}", token.trim()),
    ]);
    let of_server = stdout(&curl.arg(format!("{}/metrics", up.api)).output().unwrap());
    let mut words = up.ready.split(' ');
    let console = words
        .find_map(|word| word.strip_prefix("console="))
        .unwrap();
    let token = std::fs::read_to_string(up.data.join("admin.token")).unwrap();
    let mut curl = Command::new("curl");
    let shown = format!("Authorization: Bearer {}", token.trim());
    curl.args(["-sf", "-H", &shown, &format!("{console}/metrics")]);
    let all = of_server + &stdout(&curl.output().unwrap());
    for name in page
        .text
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| word.starts_with("usher_"))
    {
        let is_there = all.contains(&format!("# TYPE {name} "));
        // No pack has ended yet, and this server has no certificate.
        let is_later = ["usher_pack_last", "usher_certificate"];
        let is_later = is_later.iter().any(|later| name.starts_with(later));
        assert!(is_there || is_later, "{name}");
    }
}

#[test]
fn the_page_of_mail() {
    let page = Page::new("mail");
    let up = page.up();
    let console = up
        .ready
        .split(' ')
        .find_map(|word| word.strip_prefix("console="));
    let console = console.unwrap();
    let manager = format!("export USHER_MANAGER={console}");
    let printed = page.run(&up.api, &up.data, &manager, "");
    assert!(printed.contains("mail licences@example.org"), "{printed}");
    assert!(
        printed.contains("everything"),
        "the rules of before stay: {printed}"
    );
}

#[test]
fn the_page_of_containers() {
    // Only the command inside the container is Usher's: it is run as if there were no container.
    let engine = r#"
podman() {
  case "$1" in
    run)
      for word in "$@"; do shift; [ "$word" = image ] && break; done
      [ $# = 0 ] || "$@" ;;
    exec) echo token ;;
    build) test "$3" = usher ;;
  esac
}
apptainer() { shift 4; "$@"; }
"#;
    let (page, _up, _) = on_one_computer("containers", engine);
    assert!(page.folder.path("work/tls/server.key").exists());
}

#[test]
fn the_page_of_ansible() {
    let page = Page::new("ansible");
    let url = format!("$(cat {})", page.folder.path("url").display());
    let (_, playbook) = page.blocks("yaml").remove(0);
    // The playbook's own commands, in their order, with what Ansible would put in.
    // A task before them copies the authority.
    let mut after = "cp /etc/usher/tls/ca.pem /etc/usher/ca.pem\n".to_owned();
    for line in playbook.lines() {
        if let Some(command) = line.trim().strip_prefix("cmd: ") {
            let command = command
                .replace("{{ computer.stdout }}", "$computer")
                .replace("{{ inventory_hostname }}", "ws1")
                .replace("{{ server }}", &url);
            after += &match command.contains("--print-computer-id") {
                true => format!("computer=$({command})\n"),
                false => format!("{command} > last\n"),
            };
            if command.contains("token create") {
                after += "cp last /etc/usher/agent.token\n";
            }
        }
    }
    assert_eq!(after.matches("usher").count(), 9, "{after}");
    // The settings that it writes are settings.
    let (_, settings) = playbook.split_once("content: |\n").unwrap();
    let settings: Vec<&str> = settings
        .lines()
        .take_while(|line| line.is_empty() || line.starts_with("          "))
        .map(str::trim)
        .collect();
    let settings = settings
        .join("\n")
        .replace("{{ server }}", "https://localhost:1");
    after += &format!("cat > usher.toml <<'END'\n{settings}\nEND\n");
    after += "usher agent --config usher.toml --data /var/lib/usher-agent --print-computer-id\n\
              usher token list\n";
    let printed = page.run(&url, &page.folder.path("server"), "", &after);
    assert!(printed.contains("ws1"), "{printed}");
}
