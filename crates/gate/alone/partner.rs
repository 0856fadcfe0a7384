//! A partner in a process of its own: `FOLDER run|refuse|hold|silent [FILE]`. It marks the folder's file
//! system and prints the ids of gate and guard. With FILE, a thread of it writes to that file for
//! ever, so that a disk that hangs holds a thread of this process.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use usher_gate::{Answer, Gate, GateWatch, Options, Otherwise, Word};

type Failure = Box<dyn std::error::Error>;

/// Serves until its input ends or the gate does.
pub(crate) fn serve(args: &[String]) -> Result<(), Failure> {
    let (folder, rule, file) = match args {
        [folder, rule] => (folder, rule, None),
        [folder, rule, file] => (folder, rule, Some(file)),
        _ => return Err("FOLDER run|refuse|hold|silent [FILE]".into()),
    };
    let answer = match rule.as_str() {
        "run" => Some(Answer::Run),
        "refuse" => Some(Answer::Refuse),
        "hold" => Some(Answer::Hold {
            at_most: Duration::from_secs(20),
            otherwise: Otherwise::Run,
        }),
        _ => None,
    };
    let gate = Gate::start(&Options::default())?;
    gate.mark(File::open(folder)?.as_fd())?;
    let marked = gate.receive_until(Instant::now() + Duration::from_secs(5));
    let Some(Word::Done { result: Ok(()), .. }) = marked else {
        return Err(format!("{folder} cannot be marked: {marked:?}").into());
    };
    if let Some(file) = file {
        let file = File::create(file)?;
        std::thread::spawn(move || write_for_ever(file));
    }
    println!("{} {}", gate.pid(), gate.guard_pid());
    let mut watch = GateWatch::over(&gate);
    loop {
        let word = gate.receive_until(watch.next_look());
        match &word {
            Some(_) => watch.heard(),
            None => watch.look(&gate),
        }
        match word {
            Some(Word::Ended) => return Ok(()),
            Some(Word::Question(question)) => {
                if let Some(answer) = answer {
                    gate.answer(question.number, answer)?;
                }
            }
            Some(_) | None => {}
        }
    }
}

fn write_for_ever(mut file: File) {
    while file.seek(SeekFrom::Start(0)).is_ok() && file.write_all(&[0; 4096]).is_ok() {
        if file.sync_data().is_err() {
            return;
        }
    }
}
