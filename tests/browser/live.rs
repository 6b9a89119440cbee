//! What stays open: a WebSocket and server-sent events.

use crate::visitor::{Scripts, visit};

#[test]
fn websocket_echoes_and_events_arrive() {
    visit(Scripts::On, async |visitor| {
        visitor.open("/live").await;
        visitor.reads("#answer", "Is the kettle on?").await;
        visitor.write("input[name=question]", "Ahoy, ünïcode").await;
        visitor.click("#parrot button").await;
        visitor.reads("#answer", "Ahoy, ünïcode").await;
        visitor.reads("#news", "Tea is ready").await;
        // The shop sends three events over two seconds: held back until the end, they would come at once.
        let script = "
            const done = arguments[0], times = [], events = new EventSource('/events');
            events.onmessage = event => {
                times.push(performance.now());
                if (event.lastEventId === '2') { events.close(); done(times[2] - times[0]); }
            };";
        let spread = visitor.browser.execute_async(script, Vec::new()).await.unwrap();
        assert!(
            spread.json().as_f64().unwrap() > 1000.0,
            "{:?} ms between the first event and the last",
            spread.json()
        );
        assert_eq!(visitor.complaints().await, [""; 0]);
    });
}
