//! What a command finds in its environment about its seat, so that a `usher run` inside it joins
//! the one around it.

/// The lease that the command runs on.
pub(crate) const LEASE_VARIABLE: &str = "USHER_LEASE";
/// The product of that lease.
pub(crate) const PRODUCT_VARIABLE: &str = "USHER_LEASE_PRODUCT";
/// The proof with which it can be joined, also on another computer; empty if there is none.
pub(crate) const PROOF_VARIABLE: &str = "USHER_LEASE_PROOF";
/// The product of a command that runs without a seat, as the product's policy allows. It gives no
/// rights: a `usher run` that finds it asks for a seat as usual, and only knows for which product.
pub(crate) const WITHOUT_SEAT_VARIABLE: &str = "USHER_WITHOUT_SEAT";

/// On what a command runs.
#[derive(Debug, Clone, Copy)]
pub(super) enum Passed<'a> {
    /// A lease.
    Seat {
        lease: &'a str,
        proof: Option<&'a str>,
        product: Option<&'a str>,
    },
    /// No seat of that product.
    NoSeat { product: &'a str },
}

impl<'a> Passed<'a> {
    /// Each variable with its value. A variable without one is removed from the environment: its
    /// value there is of another seat.
    pub(super) fn variables(self) -> [(&'static str, Option<&'a str>); 4] {
        let (lease, proof, product, without) = match self {
            Passed::Seat {
                lease,
                proof,
                product,
            } => (Some(lease), Some(proof.unwrap_or_default()), product, None),
            Passed::NoSeat { product } => (None, None, None, Some(product)),
        };
        [
            (LEASE_VARIABLE, lease),
            (PROOF_VARIABLE, proof),
            (PRODUCT_VARIABLE, product),
            (WITHOUT_SEAT_VARIABLE, without),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_a_seat_and_of_none_never_stand_together() {
        let seat = Passed::Seat {
            lease: "L1",
            proof: None,
            product: Some("cad"),
        };
        let expected = [
            (LEASE_VARIABLE, Some("L1")),
            (PROOF_VARIABLE, Some("")),
            (PRODUCT_VARIABLE, Some("cad")),
            (WITHOUT_SEAT_VARIABLE, None),
        ];
        assert_eq!(seat.variables(), expected);
        let none = Passed::NoSeat { product: "cad" };
        let expected = [
            (LEASE_VARIABLE, None),
            (PROOF_VARIABLE, None),
            (PRODUCT_VARIABLE, None),
            (WITHOUT_SEAT_VARIABLE, Some("cad")),
        ];
        assert_eq!(none.variables(), expected);
    }
}
