// The WebSocket: joins frames of changed fields into whole pictures, and comes back when it breaks.

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5000;

/**
 * @param {object} on - session(fields, events, whole), instrument(name, fields, point, fills), link(isUp)
 * @returns an object with watch(name)
 */
export function connect(on) {
  let socket = null;
  let pause = FIRST_PAUSE_MS;
  let watched = "";
  let session = {};
  let instrument = {};

  function open() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    socket = new WebSocket(`${scheme}://${location.host}/api/live`);
    socket.onopen = () => {
      pause = FIRST_PAUSE_MS;
      on.link(true);
      if (watched) watch(watched);
    };
    socket.onmessage = (message) => take(JSON.parse(message.data));
    socket.onclose = () => {
      on.link(false);
      setTimeout(open, pause);
      pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
    };
  }

  function take(frame) {
    if (frame.of === "session") {
      session = frame.whole ? frame.fields : { ...session, ...frame.fields };
      on.session(session, frame.events, frame.whole);
    } else if (frame.of === watched) {
      instrument = frame.whole ? frame.fields : { ...instrument, ...frame.fields };
      on.instrument(watched, instrument, frame.point, frame.fills);
    }
  }

  function watch(name) {
    watched = name;
    instrument = {};
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ watch: name }));
  }

  open();
  return { watch };
}
