//! Making many calls at once, in the portions that an API accepts.

use futures::StreamExt as _;

use crate::kind::Result;

/// How many calls of one kind are under way at once.
const WIDTH: usize = 32;

/// Makes `call` for chunks of `items` of at most `size`, a few at a time, and puts the results
/// together in no particular order.
pub async fn batched<'a, T: Sync, O, F>(
    items: &'a [T],
    size: usize,
    call: impl Fn(&'a [T]) -> F,
) -> Result<Vec<O>>
where
    F: Future<Output = Result<Vec<O>>>,
{
    // Collected first: a lazy map of borrowed chunks is not provably `Send`.
    let calls: Vec<F> = items.chunks(size).map(call).collect();
    let chunks: Vec<Result<Vec<O>>> =
        futures::stream::iter(calls).buffer_unordered(WIDTH).collect().await;
    chunks.into_iter().try_fold(Vec::new(), |mut all, chunk| {
        all.extend(chunk?);
        Ok(all)
    })
}

/// Makes `call` for each item, a few at a time: for APIs that describe one resource per request.
/// The results are in the items' order.
pub async fn concurrently<'a, T: Sync, O, F>(
    items: &'a [T],
    call: impl Fn(&'a T) -> F,
) -> Result<Vec<O>>
where
    F: Future<Output = Result<O>>,
{
    let calls: Vec<F> = items.iter().map(call).collect();
    let results: Vec<Result<O>> = futures::stream::iter(calls).buffered(WIDTH).collect().await;
    results.into_iter().collect()
}
