//! Displays by name: a program and the reporter of its display get the same name.

/// The longest name that is one.
const NAME_LIMIT_BYTES: usize = 255;

/// The displays that a process with such variables belongs to: one of X11, as `:0`, and one of
/// Wayland, as the path of its socket.
pub fn displays_of<'v>(variable: impl Fn(&str) -> Option<&'v str>) -> Vec<Box<str>> {
    let set = |name| variable(name).filter(|value: &&str| !value.is_empty());
    let x11 = set("DISPLAY").map(x11);
    let wayland = set("WAYLAND_DISPLAY").map(|name| wayland(name, set("XDG_RUNTIME_DIR")));
    let names = x11.into_iter().chain(wayland);
    names
        .filter(|name| name.len() <= NAME_LIMIT_BYTES)
        .collect()
}

/// All screens of a display have one keyboard and one pointer, and `unix:0` is `:0`.
fn x11(name: &str) -> Box<str> {
    let Some((host, number)) = name.rsplit_once(':') else {
        return name.into();
    };
    let display = number
        .split_once('.')
        .map_or(number, |(display, _)| display);
    let host = if host == "unix" { "" } else { host };
    format!("{host}:{display}").into()
}

fn wayland(name: &str, folder: Option<&str>) -> Box<str> {
    match folder {
        Some(folder) if !name.starts_with('/') => {
            format!("{}/{name}", folder.trim_end_matches('/')).into()
        }
        _ => name.into(),
    }
}
