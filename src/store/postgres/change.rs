//! What is asked of the database.

use std::collections::{BTreeMap, HashSet};

use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row as SqlRow};

use super::{ChainState, Error, Filter, entry_id, stamp};
use crate::cookie::UnixTime;
use crate::receipt::{ChainId, Deletion, Entry, Hash, Head, Purge, Reason, content, genesis};

/// Where a page of receipts ended: time, chain, position.
pub(super) type PageEnd = (String, Vec<u8>, i64);

/// Bytes of a length that a constraint of the table holds.
pub(super) fn fixed<const N: usize>(row: &SqlRow, column: usize) -> Result<[u8; N], Error> {
    let bytes: &[u8] = row.try_get(column)?;
    bytes.try_into().map_err(|_| Error::Postgres(format!("a value has {} bytes, not {N}", bytes.len())))
}

fn head_of(row: &SqlRow) -> Result<Head, Error> {
    let next: i64 = row.try_get(1)?;
    Ok(Head { chain: ChainId(fixed(row, 0)?), next: next.cast_unsigned(), hash: Hash(fixed(row, 2)?) })
}

/// The end of a chain, which is begun if there is none, and nobody else's until the transaction ends.
async fn head(client: &Client, chain: ChainId) -> Result<Head, Error> {
    let (id, start) = (&chain.0[..], genesis(chain));
    let begin = "INSERT INTO chain (id, base, head) VALUES ($1, $2, $2) ON CONFLICT DO NOTHING";
    client.execute(begin, &[&id, &&start.0[..]]).await?;
    head_of(&client.query_one("SELECT id, next, head FROM chain WHERE id = $1 FOR UPDATE", &[&id]).await?)
}

pub(super) async fn append(client: &Client, chain: ChainId, entries: &[Entry]) -> Result<Head, Error> {
    let mut end = head(client, chain).await?;
    push(client, &mut end, entries).await?;
    Ok(end)
}

/// Appends what is not there yet, and saves the end.
async fn push(client: &Client, end: &mut Head, entries: &[Entry]) -> Result<(), Error> {
    let ids: Vec<Vec<u8>> = entries.iter().map(|entry| entry.id().0.to_vec()).collect();
    let known = client.query("SELECT id FROM record WHERE id = ANY ($1)", &[&ids]).await?;
    let mut known: HashSet<Vec<u8>> = known.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    let (mut positions, mut names, mut contents, mut hashes, mut bodies) = (vec![], vec![], vec![], vec![], vec![]);
    for (entry, id) in entries.iter().zip(ids) {
        if !known.insert(id.clone()) {
            continue;
        }
        let body = entry.canonical();
        positions.push(end.next.cast_signed());
        end.push(content(&body));
        names.push(id);
        contents.push(content(&body).0.to_vec());
        hashes.push(end.hash.0.to_vec());
        bodies.push(body);
    }
    let chain = &end.chain.0[..];
    let insert = "INSERT INTO record (chain, position, id, content, hash, body) \
                  SELECT $1, * FROM unnest($2::bigint[], $3::bytea[], $4::bytea[], $5::bytea[], $6::text[])";
    client.execute(insert, &[&chain, &positions, &names, &contents, &hashes, &bodies]).await?;
    let save = "UPDATE chain SET next = $2, head = $3 WHERE id = $1";
    client.execute(save, &[&chain, &end.next.cast_signed(), &&end.hash.0[..]]).await?;
    Ok(())
}

/// The filter as SQL, and its values.
fn condition(filter: &Filter) -> (String, Vec<String>) {
    let mut sql = String::from("act = 'choice/1'");
    let mut values = Vec::new();
    let mut add = |test: &str, value: Option<String>| {
        if let Some(value) = value {
            values.push(value);
            sql += &format!(" AND {test} ${}", values.len());
        }
    };
    add("consent =", filter.consent.map(|id| id.to_string()));
    add("site =", filter.site.as_deref().map(str::to_owned));
    add("method =", filter.method.map(|method| method.name().to_owned()));
    // Stamps sort as the times that they stand for.
    add("time >=", filter.since.map(stamp));
    add("time <", filter.until.map(stamp));
    (sql, values)
}

fn borrowed(values: &[String]) -> Vec<&(dyn ToSql + Sync)> {
    values.iter().map(|value| value as _).collect()
}

/// The next receipts after a place, as bodies with their places.
pub(super) async fn page(
    client: &Client,
    filter: &Filter,
    after: Option<PageEnd>,
    limit: i64,
) -> Result<Vec<(String, PageEnd)>, Error> {
    let (mut sql, values) = condition(filter);
    let mut values = borrowed(&values);
    let number = values.len();
    if let Some((time, chain, position)) = &after {
        sql += &format!(" AND (time, chain, position) > (${}, ${}, ${})", number + 1, number + 2, number + 3);
        values.extend([time as &(dyn ToSql + Sync), chain, position]);
    }
    let sql = format!(
        "SELECT body, time, chain, position FROM record WHERE {sql} ORDER BY time, chain, position LIMIT {limit}"
    );
    let rows = client.query(&sql, &values).await?;
    let place = |row: &SqlRow| Ok((row.try_get(0)?, (row.try_get(1)?, row.try_get(2)?, row.try_get(3)?)));
    rows.iter().map(place).collect()
}

pub(super) async fn count(client: &Client, filter: &Filter) -> Result<u64, Error> {
    let (condition, values) = condition(filter);
    let sql = format!("SELECT count(*) FROM record WHERE {condition}");
    let count: i64 = client.query_one(&sql, &borrowed(&values)).await?.try_get(0)?;
    Ok(count.cast_unsigned())
}

pub(super) async fn chains(client: &Client) -> Result<Vec<ChainState>, Error> {
    let rows = client.query("SELECT id, next, head, first, base FROM chain ORDER BY id", &[]).await?;
    let state = |row: &SqlRow| {
        let first: i64 = row.try_get(3)?;
        Ok(ChainState { head: head_of(row)?, first: first.cast_unsigned(), base: Hash(fixed(row, 4)?) })
    };
    rows.iter().map(state).collect()
}

pub(super) async fn rows(client: &Client, chain: ChainId, from: i64, limit: i64) -> Result<Vec<SqlRow>, Error> {
    let sql = "SELECT position, id, content, hash, body FROM record WHERE chain = $1 AND position >= $2 \
               ORDER BY position LIMIT $3";
    Ok(client.query(sql, &[&&chain.0[..], &from, &limit]).await?)
}

/// Erases at most `limit` contents; the deletion of each goes to the chain that it was in.
pub(super) async fn erase(
    client: &Client,
    filter: &Filter,
    reason: Reason,
    now: UnixTime,
    limit: u64,
) -> Result<u64, Error> {
    let (condition, values) = condition(filter);
    let sql = format!("SELECT chain, position, content FROM record WHERE {condition} LIMIT {limit} FOR UPDATE");
    let found = client.query(&sql, &borrowed(&values)).await?;
    // In the order of chains, so that two who erase do not wait for each other in a ring.
    let mut chains: BTreeMap<ChainId, (Vec<i64>, Vec<Entry>)> = BTreeMap::new();
    for row in &found {
        let at: i64 = row.try_get(1)?;
        let (content, id, position) = (Hash(fixed(row, 2)?), entry_id()?, at.cast_unsigned());
        let (positions, deletions) = chains.entry(ChainId(fixed(row, 0)?)).or_default();
        positions.push(at);
        deletions.push(Entry::Deletion(Deletion { content, id, position, reason, time: now }));
    }
    for (chain, (positions, deletions)) in chains {
        append(client, chain, &deletions).await?;
        let update = "UPDATE record SET body = NULL WHERE chain = $1 AND position = ANY ($2)";
        client.execute(update, &[&&chain.0[..], &positions]).await?;
    }
    Ok(found.len() as u64)
}

/// Removes at most `limit` entries from the beginning of a chain.
pub(super) async fn purge(
    client: &Client,
    chain: ChainId,
    before: UnixTime,
    now: UnixTime,
    limit: u64,
) -> Result<u64, Error> {
    let mut end = head(client, chain).await?;
    let id = &chain.0[..];
    let first: i64 = client.query_one("SELECT first FROM chain WHERE id = $1", &[&id]).await?.try_get(0)?;
    // The first that is young enough.
    let sql = "SELECT min(position) FROM record WHERE chain = $1 AND time >= $2";
    let young: Option<i64> = client.query_one(sql, &[&id, &stamp(before)]).await?.try_get(0)?;
    let stop = young.unwrap_or_else(|| end.next.cast_signed()).min(first.saturating_add_unsigned(limit));
    let stop = proof(client, chain, before, stop).await?.unwrap_or(stop);
    if stop <= first {
        return Ok(0);
    }
    let last = stop - 1;
    let sql = "SELECT hash FROM record WHERE chain = $1 AND position = $2";
    let hash = Hash(fixed(&client.query_one(sql, &[&id, &last]).await?, 0)?);
    client.execute("DELETE FROM record WHERE chain = $1 AND position <= $2", &[&id, &last]).await?;
    let sql = "UPDATE chain SET first = $2, base = $3 WHERE id = $1";
    client.execute(sql, &[&id, &stop, &&hash.0[..]]).await?;
    let purge = Purge { before, hash, id: entry_id()?, through: last.cast_unsigned(), time: now };
    push(client, &mut end, &[Entry::Purge(purge)]).await?;
    Ok((stop - first).cast_unsigned())
}

/// The first erased entry below `stop` whose deletion is not as old: an erased one tells its own age no more, and it is
/// what proves the deletion.
async fn proof(client: &Client, chain: ChainId, before: UnixTime, stop: i64) -> Result<Option<i64>, Error> {
    let sql = "SELECT min(position) FROM record WHERE chain = $1 AND position < $2 AND body IS NULL \
               AND position NOT IN (SELECT (body::jsonb ->> 'position')::bigint FROM record \
                                    WHERE chain = $1 AND act = 'deletion/1' AND time < $3)";
    Ok(client.query_one(sql, &[&&chain.0[..], &stop, &stamp(before)]).await?.try_get(0)?)
}
