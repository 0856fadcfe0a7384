//! `programs`: what each server counts of programs of no product.

use std::sync::Arc;

use usher_api::{ProgramCount, Report};
use usher_core::identify::is_of_base_system;
use usher_report::ProgramsInput;

use super::question::Question;
use crate::app::App;
use crate::problem::Refusal;
use crate::routes::together::{self, OfServer, not_told};
use crate::routes::usage::answer::watched;

pub(super) async fn report(app: &Arc<App>, question: Question) -> Result<Report, Refusal> {
    let asked = |app: Arc<App>, of: OfServer| async move {
        of.whole_list::<ProgramCount>(&app, "/v1/programs?").await
    };
    let each = together::each(app, None, &watched(app), asked).await;
    let mut basis = question.basis();
    let mut programs = Vec::new();
    let mut left_out = 0_u64;
    for (server, said) in each {
        let why = match said {
            Ok(list) => {
                for program in list.items {
                    match is_of_base_system(&program.program) {
                        true => left_out += 1,
                        false => programs.push(program),
                    }
                }
                list.why
            }
            Err(why) => Some(why),
        };
        let cut = why.map(|why| not_told("programs", &server, &why));
        basis.cut.extend(cut);
    }
    if left_out > 0 {
        basis.notes.push(
            "Programs of the operating system's base, such as cat and bash, are left out."
                .to_owned(),
        );
    }
    Ok(usher_report::programs(&basis, ProgramsInput { programs }))
}
