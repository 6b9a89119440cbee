//! The form of the database, raised step by step from whatever release made it.

use rusqlite::{Connection, TransactionBehavior};

use super::Error;

/// Each takes the form before it to the next; `user_version` counts how many have run.
const STEPS: [&str; 1] = [include_str!("schema.sql")];
/// `CSNT`: whose file this is, for `file` and for us.
const APPLICATION: i64 = 0x4353_4e54;

pub(super) fn migrate(connection: &mut Connection) -> Result<(), Error> {
    let steps = STEPS.len() as i64;
    if form(connection)? == steps {
        return Ok(());
    }
    // Two processes may start at once: only who holds the lock may believe what it reads.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let form = form(&transaction)?;
    if form > steps {
        return Err(Error::Newer(form));
    }
    for (number, step) in (1..).zip(STEPS).skip(form as usize) {
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", number)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    Ok(transaction.commit()?)
}

fn form(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}
