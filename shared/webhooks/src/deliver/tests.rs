use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::*;
use crate::Secret;

/// What a receiver does once it has read the request.
#[derive(Clone, Copy)]
enum Then {
    /// Ends the connection.
    Close,
    /// Keeps it open without another word.
    Wait,
    /// Sends more for as long as anybody reads.
    Flood,
}

/// A receiver that answers every connection with these bytes.
struct Receiver {
    url: String,
    requests: mpsc::UnboundedReceiver<String>,
}

impl Receiver {
    async fn start(answer: &'static str, then: Then) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let (sender, requests) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, answer, then, sender.clone()));
            }
        });
        Self { url, requests }
    }

    /// What came of an event sent here.
    async fn told(&self, deliverer: &Deliverer) -> Answer {
        tell(deliverer, &self.url).await
    }
}

/// A client that went away is the end of a connection, not of the test.
async fn serve(mut stream: TcpStream, answer: &str, then: Then, requests: mpsc::UnboundedSender<String>) {
    let mut request = String::new();
    while !request.ends_with("{}") {
        let mut some = [0; 1024];
        match stream.read(&mut some).await {
            Ok(read) if read > 0 => request += &String::from_utf8_lossy(&some[..read]),
            _ => return,
        }
    }
    let _ = requests.send(request);
    let _ = stream.write_all(answer.as_bytes()).await;
    match then {
        Then::Close => {}
        Then::Wait => std::future::pending().await,
        Then::Flood => while stream.write_all(&[b'x'; 4096]).await.is_ok() {},
    }
}

fn deliverer() -> Deliverer {
    let policy = Policy {
        allow_loopback: true,
        ..Policy::default()
    };
    Deliverer::new(policy).unwrap()
}

async fn tell(deliverer: &Deliverer, url: &str) -> Answer {
    let request = Request {
        url,
        event_id: "evt_1",
        timestamp_s: 784_111_777,
        body: b"{}",
        secrets: &Secrets::new(Secret::new(&[1; 24]).unwrap(), None),
    };
    deliverer.deliver(&request).await
}

fn status(status: u16) -> Answer {
    Answer::Status { status, asked_ms: None }
}

#[tokio::test]
async fn a_request_has_the_headers_of_the_standard() {
    let mut receiver = Receiver::start("HTTP/1.1 204 No Content\r\n\r\n", Then::Close).await;
    assert_eq!(receiver.told(&deliverer()).await, status(204));
    let request = receiver.requests.recv().await.unwrap().to_lowercase();
    assert!(request.starts_with("post /hook http/1.1\r\n"), "{request}");
    for header in [
        "content-type: application/json",
        "webhook-id: evt_1",
        "webhook-timestamp: 784111777",
        "webhook-signature: v1,",
    ] {
        assert!(request.contains(&format!("\r\n{header}")), "{header} in {request}");
    }
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_not_followed() {
    let answer = "HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n";
    let mut receiver = Receiver::start(answer, Then::Close).await;
    let answer = receiver.told(&deliverer()).await;
    assert_eq!((&answer, answer.is_success()), (&status(302), false));
    receiver.requests.recv().await.unwrap();
    assert!(receiver.requests.try_recv().is_err(), "one request was made");
}

#[tokio::test]
async fn what_a_receiver_asks_for_is_heard() {
    let seconds = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n";
    let date = "HTTP/1.1 503 Unavailable\r\nRetry-After: Sun, 06 Nov 1994 08:50:37 GMT\r\ncontent-length: 0\r\n\r\n";
    for (answer, status, asked) in [(seconds, 429, 7_000), (date, 503, 60_000)] {
        let receiver = Receiver::start(answer, Then::Close).await;
        let asked_ms = Some(asked);
        assert_eq!(receiver.told(&deliverer()).await, Answer::Status { status, asked_ms });
    }
    let receiver = Receiver::start("HTTP/1.1 410 Gone\r\n\r\n", Then::Close).await;
    assert!(receiver.told(&deliverer()).await.is_gone());
}

#[tokio::test]
async fn a_receiver_that_does_not_answer_is_given_up() {
    let hurried = deliverer().within(Duration::from_millis(100));
    let receiver = Receiver::start("", Then::Wait).await;
    let silent = receiver.told(&hurried).await;
    assert_eq!(silent, Answer::Failed("no answer within 0.1 s".to_owned()));
    let receiver = Receiver::start("HTTP/1.1 200 OK\r\nx-half-a-hea", Then::Wait).await;
    assert_eq!(receiver.told(&hurried).await, silent);
}

#[tokio::test]
async fn an_answer_that_never_ends_holds_nobody_up() {
    let open = "HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\nhalf";
    let receiver = Receiver::start(open, Then::Wait).await;
    let hurried = deliverer().within(Duration::from_millis(100));
    assert_eq!(receiver.told(&hurried).await, status(200));
    // It would be read for an hour, if it were read.
    let receiver = Receiver::start("HTTP/1.1 500 Oops\r\n\r\n", Then::Flood).await;
    let patient = deliverer().within(Duration::from_secs(3_600));
    assert_eq!(receiver.told(&patient).await, status(500));
}

#[tokio::test]
async fn garbage_is_a_failure_with_a_reason() {
    for (garbage, then) in [
        ("", Then::Close),
        ("\u{0}\u{1}\u{2}\r\n\r\n", Then::Close),
        ("HTTP/1.1 2OO OK\r\n\r\n", Then::Close),
        ("SSH-2.0-OpenSSH_9.6\r\n", Then::Close),
        ("", Then::Flood),
    ] {
        let receiver = Receiver::start(garbage, then).await;
        match receiver.told(&deliverer()).await {
            Answer::Failed(reason) => assert!(!reason.is_empty() && reason.len() <= 4 * LONGEST_REASON, "{reason}"),
            answered @ Answer::Status { .. } => panic!("{garbage:?}: {answered:?}"),
        }
    }
}

#[tokio::test]
async fn what_the_policy_refuses_is_not_called() {
    let mut receiver = Receiver::start("HTTP/1.1 204 No Content\r\n\r\n", Then::Close).await;
    let strict = Deliverer::new(Policy::default()).unwrap();
    let port = receiver.url.rsplit(':').next().unwrap().to_owned();
    for host in [
        "127.0.0.1",
        "[::ffff:127.0.0.1]",
        "2130706433",
        "localhost",
        "x.localhost.",
    ] {
        for scheme in ["http", "https"] {
            let told = tell(&strict, &format!("{scheme}://{host}:{port}")).await;
            assert!(matches!(told, Answer::Failed(_)), "{scheme} {host}: {told:?}");
        }
    }
    assert!(receiver.requests.try_recv().is_err(), "nobody called");
}

#[tokio::test]
async fn a_name_that_leads_inside_is_not_connected_to() {
    let local = Policy {
        allow_loopback: true,
        ..Policy::default()
    };
    // Every resolver knows this name, and where it leads.
    let resolve = |policy: Policy| Filter(policy).resolve("localhost".parse().unwrap());
    let refused = resolve(Policy::default()).await.err().unwrap();
    assert_eq!(refused.to_string(), "localhost leads to no public address");
    assert!(resolve(local).await.unwrap().all(|address| address.ip().is_loopback()));
}
