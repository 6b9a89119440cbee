//! What one transaction does to the chains.

use std::collections::{BTreeMap, HashSet};

use super::*;
use crate::receipt::{content, genesis};

/// The end of a chain, which is begun if there is none.
pub(super) fn head(tx: &Transaction<'_>, chain: ChainId) -> Result<Head, Error> {
    let sql = "SELECT id, next, head FROM chain WHERE id = ?1";
    let known = tx.prepare_cached(sql)?.query_row([chain.0], head_of).optional()?;
    if let Some(head) = known {
        return Ok(head);
    }
    let start = genesis(chain);
    tx.execute("INSERT INTO chain (id, base, head) VALUES (?1, ?2, ?2)", (chain.0, start.0))?;
    Ok(Head::new(chain))
}

pub(super) fn head_of(row: &SqlRow<'_>) -> rusqlite::Result<Head> {
    Ok(Head { chain: ChainId(row.get(0)?), next: position(row, 1)?, hash: Hash(row.get(2)?) })
}

pub(super) fn push(tx: &Transaction<'_>, head: &mut Head, entry: &Entry) -> Result<(), Error> {
    let id = entry.id();
    // Delivered before, and nobody heard of it.
    if tx.prepare_cached("SELECT 1 FROM record WHERE id = ?1")?.exists([id.0])? {
        return Ok(());
    }
    let body = entry.canonical();
    let (position, content) = (head.next, content(&body));
    head.push(content);
    let sql = "INSERT INTO record (chain, position, id, content, hash, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let mut insert = tx.prepare_cached(sql)?;
    insert.execute((head.chain.0, position.cast_signed(), id.0, content.0, head.hash.0, body))?;
    Ok(())
}

pub(super) fn save(tx: &Transaction<'_>, head: Head) -> Result<(), Error> {
    let mut update = tx.prepare_cached("UPDATE chain SET next = ?2, head = ?3 WHERE id = ?1")?;
    update.execute((head.chain.0, head.next.cast_signed(), head.hash.0))?;
    Ok(())
}

/// Erases at most `limit` contents; the deletion of each goes to the chain that it was in.
pub(super) fn erase(
    tx: &Transaction<'_>,
    filter: &Filter,
    reason: Reason,
    now: UnixTime,
    limit: u64,
) -> Result<u64, Error> {
    let (condition, values) = condition(filter);
    let sql = format!("SELECT chain, position, content FROM record WHERE {condition} LIMIT {limit}");
    let mut statement = tx.prepare_cached(&sql)?;
    let found = statement.query_map(rusqlite::params_from_iter(values), |row| {
        Ok((ChainId(row.get(0)?), position(row, 1)?, Hash(row.get(2)?)))
    })?;
    let mut found: Vec<_> = found.collect::<Result<_, _>>()?;
    found.sort_unstable_by_key(|(chain, position, _)| (*chain, *position));
    let mut heads: BTreeMap<ChainId, Head> = BTreeMap::new();
    for (chain, position, content) in &found {
        let mut end = match heads.get(chain) {
            Some(head) => *head,
            None => head(tx, *chain)?,
        };
        let (content, position, id) = (*content, *position, entry_id()?);
        push(tx, &mut end, &Entry::Deletion(Deletion { content, id, position, reason, time: now }))?;
        heads.insert(*chain, end);
        let mut update = tx.prepare_cached("UPDATE record SET body = NULL WHERE chain = ?1 AND position = ?2")?;
        update.execute((chain.0, position.cast_signed()))?;
    }
    heads.into_values().try_for_each(|head| save(tx, head))?;
    Ok(found.len() as u64)
}

/// Removes at most `limit` entries from the beginning of a chain.
pub(super) fn purge(
    tx: &Transaction<'_>,
    chain: ChainId,
    before: UnixTime,
    now: UnixTime,
    limit: u64,
) -> Result<u64, Error> {
    let mut end = head(tx, chain)?;
    let first: i64 = tx.query_row("SELECT first FROM chain WHERE id = ?1", [chain.0], |row| row.get(0))?;
    // The first that is young enough.
    let sql = "SELECT min(position) FROM record WHERE chain = ?1 AND time >= ?2";
    let young: Option<i64> = tx.query_row(sql, (chain.0, stamp(before)), |row| row.get(0))?;
    let stop = young.unwrap_or_else(|| end.next.cast_signed()).min(first.saturating_add_unsigned(limit));
    let stop = proof(tx, chain, before, stop)?.unwrap_or(stop);
    if stop <= first {
        return Ok(0);
    }
    let last = (chain.0, stop - 1);
    let sql = "SELECT hash FROM record WHERE chain = ?1 AND position = ?2";
    let hash = Hash(tx.query_row(sql, last, |row| row.get(0))?);
    tx.execute("DELETE FROM record WHERE chain = ?1 AND position <= ?2", last)?;
    tx.execute("UPDATE chain SET first = ?2, base = ?3 WHERE id = ?1", (chain.0, stop, hash.0))?;
    let (id, through) = (entry_id()?, (stop - 1).cast_unsigned());
    push(tx, &mut end, &Entry::Purge(Purge { before, hash, id, through, time: now }))?;
    save(tx, end)?;
    Ok((stop - first).cast_unsigned())
}

/// The first erased entry below `stop` whose deletion is not as old: an erased one tells its own age no more, and it is
/// what proves the deletion.
fn proof(tx: &Transaction<'_>, chain: ChainId, before: UnixTime, stop: i64) -> Result<Option<i64>, Error> {
    let sql = "SELECT position FROM record WHERE chain = ?1 AND position < ?2 AND body IS NULL ORDER BY position";
    let mut erased = tx.prepare_cached(sql)?;
    let erased = erased.query_map((chain.0, stop), |row| row.get(0))?.collect::<Result<Vec<i64>, _>>()?;
    if erased.is_empty() {
        return Ok(None);
    }
    let sql = "SELECT body ->> '$.position' FROM record WHERE chain = ?1 AND act = 'deletion/1' AND time < ?2";
    let mut told = tx.prepare_cached(sql)?;
    let told = told.query_map((chain.0, stamp(before)), |row| row.get(0))?.collect::<Result<HashSet<i64>, _>>()?;
    Ok(erased.into_iter().find(|position| !told.contains(position)))
}
