//! usher-http: what every role needs that answers requests.
//!
//! Listening and TLS, the time limits for slow connections, bounded bodies, problem documents, the
//! readers of bodies and queries with their error texts, the id of each request, and the drain at
//! the end. It knows nothing of the requests themselves: a role is a [`Handler`], which finds out
//! who sent a request, then reads the body, and answers.
//!
//! Connections of one thread share that thread's [`core_loop`]: while a request is served nothing
//! here is sent between threads or called through a pointer, so that a metering server's checkout
//! costs no more than if all of this were its own code.

#![forbid(unsafe_code)]

mod answer;
mod bearer;
mod body;
mod connection;
pub mod core_loop;
mod fast;
mod handler;
mod head;
pub mod input;
pub mod limits;
pub mod listen;
mod problem;
mod request_id;
pub mod tls;
mod watch;

pub use answer::{Body, REPLAYED, Whole, json, no_content, whole_where_it_is};
pub use bearer::bearer;
pub use body::{Bodies, Held, hold_whole, read_in_time};
pub use handler::{Answered, Handler, Way};
pub use head::{FastHead, FastRequest};
pub use problem::{Refusal, shown};
pub use request_id::{NamedRequest, REQUEST_ID, RequestId};
pub use watch::{Busy, ConnectionWatch};
