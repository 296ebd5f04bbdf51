//! Headers, sequence numbers, and frames that come in odd pieces.

use rpcx::protocol::{Header, Output};
use tokio::io::AsyncWriteExt as _;

use super::raw::{RawRequest, check_reply};
use super::{Check, Failure, Target, check, ensure, same};

pub(super) const CHECKS: &[Check] = &[
    check!("frames/header_is_copied", header_is_copied()),
    check!("frames/response_type_is_served", response_type_is_served()),
    check!("frames/same_number_twice", same_number_twice()),
    check!("frames/two_in_one_write", two_in_one_write()),
    check!("frames/byte_by_byte", byte_by_byte()),
    check!("frames/one_and_a_half", one_and_a_half()),
    check!("frames/10000_in_one_write", pipeline()),
];

/// Sequence number, version and reserved bits come back whatever they are.
async fn header_is_copied(target: Target) -> Result<(), Failure> {
    let mut connection = target.raw().await?;
    for seq in [0, 1, 1 << 32, i64::MAX as u64, 1 << 63, u64::MAX] {
        let [version, .., low] = seq.to_be_bytes();
        let mut request = target.mul(seq, 2, 9)?;
        let mut bytes = request.header.encode();
        bytes[1] = version;
        bytes[3] |= low & 0x0f;
        request.header = Header::decode(bytes)?;
        let response = connection.exchange(&request).await?;
        request.check_copied(&response)?;
        check_reply(&response, 18)?;
    }
    Ok(())
}

/// A server does not look at the direction.
async fn response_type_is_served(target: Target) -> Result<(), Failure> {
    let mut connection = target.raw().await?;
    let mut request = target.mul(8, 2, 9)?;
    request.header = request.header.with_response();
    check_reply(&connection.exchange(&request).await?, 18)
}

async fn same_number_twice(target: Target) -> Result<(), Failure> {
    let mut connection = target.raw().await?;
    let request = target.mul(8, 2, 9)?;
    connection.send(&request).await?;
    connection.send(&request).await?;
    for _ in 0..2 {
        let response = connection.receive().await?;
        request.check_copied(&response)?;
        check_reply(&response, 18)?;
    }
    Ok(())
}

async fn two_in_one_write(target: Target) -> Result<(), Failure> {
    let mut connection = target.raw().await?;
    let requests = [target.mul(1, 2, 3)?, target.mul(2, 4, 5)?];
    connection.send_bytes(&all(&requests)).await?;
    both_answered(&mut connection).await
}

async fn byte_by_byte(target: Target) -> Result<(), Failure> {
    let mut connection = target.raw().await?;
    for byte in target.mul(3, 7, 7)?.bytes() {
        connection.send_bytes(&[byte]).await?;
        tokio::task::yield_now().await;
    }
    check_reply(&connection.receive().await?, 49)
}

/// The first is answered while half of the second is on its way.
async fn one_and_a_half(target: Target) -> Result<(), Failure> {
    let mut connection = target.raw().await?;
    let requests = [target.mul(1, 2, 3)?, target.mul(2, 4, 5)?];
    let bytes = all(&requests);
    let (now, later) = bytes.split_at(bytes.len() - 20);
    connection.send_bytes(now).await?;
    check_reply(&connection.receive().await?, 6)?;
    connection.send_bytes(later).await?;
    check_reply(&connection.receive().await?, 20)
}

/// Every one of 10,000 requests is answered once, in whatever order.
async fn pipeline(target: Target) -> Result<(), Failure> {
    const COUNT: usize = 10_000;
    let mut out = Output::new();
    for n in 0..COUNT {
        target.mul(n as u64, i64::try_from(n)?, 2)?.write(&mut out);
    }
    let bytes = out.to_vec();
    let (mut writer, mut connection) = target.raw().await?.split();
    let sending = async { writer.write_all(&bytes).await.map_err(Failure::from) };
    let receiving = async {
        let mut answered = vec![false; COUNT];
        for _ in 0..COUNT {
            let message = connection.receive().await?;
            let seq = message.header().seq();
            let place = usize::try_from(seq).ok().and_then(|seq| answered.get_mut(seq));
            let place = place.ok_or_else(|| format!("an answer to {seq}, which was not sent"))?;
            ensure(!std::mem::replace(place, true), || format!("a second answer to {seq}"))?;
            check_reply(&message, i64::try_from(seq)? * 2)?;
        }
        Ok(())
    };
    let ((), ()) = tokio::try_join!(sending, receiving)?;
    Ok(())
}

fn all(requests: &[RawRequest]) -> Vec<u8> {
    requests.iter().flat_map(RawRequest::bytes).collect()
}

async fn both_answered(connection: &mut super::raw::RawConnection) -> Result<(), Failure> {
    let mut numbers = [0; 2];
    for number in &mut numbers {
        let response = connection.receive().await?;
        *number = response.header().seq();
        check_reply(&response, if *number == 1 { 6 } else { 20 })?;
    }
    numbers.sort_unstable();
    same("numbers", numbers, [1, 2])
}
