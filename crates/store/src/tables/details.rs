//! The table of the names, prices and contracts of entitlements.

use rusqlite::{Connection, params};
use usher_core::ledger::{Details, EntitlementNumber};

use crate::base::columns::from_i64;
use crate::base::meta::has_table;

const TABLE: &str = "entitlement_details";

/// What is said of the entitlements that there are. A file of a schema before 4 says nothing; one
/// that a version of schema 3 wrote again may tell of entitlements that were removed since.
pub(crate) fn read(connection: &Connection) -> rusqlite::Result<Vec<(EntitlementNumber, Details)>> {
    if !has_table(connection, TABLE)? {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare(
        "SELECT d.number, d.name, d.document FROM entitlement_details d \
         JOIN entitlements e ON e.number = d.number",
    )?;
    let rows = statement.query_map([], |row| {
        let details = Details {
            name: row.get(1)?,
            document: row.get(2)?,
        };
        Ok((EntitlementNumber(from_i64(row.get(0)?)), details))
    })?;
    rows.collect()
}

/// Replaces or removes the details of an entitlement.
pub(crate) fn write(
    connection: &Connection,
    entitlement: EntitlementNumber,
    details: &Details,
) -> rusqlite::Result<()> {
    let number = entitlement.0.cast_signed();
    if details.is_empty() {
        return connection
            .prepare_cached("DELETE FROM entitlement_details WHERE number = ?1")?
            .execute([number])
            .map(drop);
    }
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO entitlement_details (number, name, document) \
             VALUES (?1, ?2, ?3)",
        )?
        .execute(params![number, details.name.as_deref(), &*details.document])
        .map(drop)
}
