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
        assert_ne!(visitor.value("document.getElementById('news').textContent").await, "none");
        assert_eq!(visitor.complaints().await, [""; 0]);
    });
}
