// Echo server on Node's ws; also sends fragments, pings and close frames.
// Started with no arguments for ws:// or with CERTIFICATE and KEY for wss://.
"use strict";

const fs = require("node:fs");
const http = require("node:http");
const https = require("node:https");
const { WebSocketServer } = require("ws");

const PROTOCOLS = ["chat.v2", "chat.v1"];

function sendFragments(websocket, kind, count, size) {
  const characters = Array.from({ length: (count * size) / 2 }, (_, number) =>
    String.fromCharCode(0x100 + (number % 0x600)),
  );
  const payload = Buffer.from(characters.join(""));
  for (let index = 0; index < count; index += 1) {
    websocket.ping(String(index));
    websocket.send(payload.subarray(index * size, (index + 1) * size), {
      binary: kind === "binary",
      fin: index === count - 1,
    });
  }
}

function answer(websocket, message, isBinary) {
  const [command, ...values] = isBinary ? [] : message.toString().split(":", 4);
  if (command === "close") {
    websocket.close(Number(values[0]), values[1]);
  } else if (command === "ping") {
    websocket.once("pong", (data) => websocket.send(`pong:${data}`));
    websocket.ping(values[0]);
  } else if (command === "fragment") {
    sendFragments(websocket, values[0], Number(values[1]), Number(values[2]));
  } else {
    websocket.send(message, { binary: isBinary });
  }
}

const [certificate, key] = process.argv.slice(2);
const listener = certificate
  ? https.createServer({ cert: fs.readFileSync(certificate), key: fs.readFileSync(key) })
  : http.createServer();

const server = new WebSocketServer({
  server: listener,
  maxPayload: 32 * 1024 * 1024,
  // Willing, so that a client which does not offer it must be left alone.
  perMessageDeflate: { threshold: 0 },
  handleProtocols: (offered) => PROTOCOLS.find((known) => offered.has(known)) ?? false,
});

server.on("connection", (websocket) => {
  websocket.on("error", console.error);
  websocket.on("message", (message, isBinary) => answer(websocket, message, isBinary));
});

listener.listen(0, "127.0.0.1", () => {
  console.log(`listening on 127.0.0.1:${listener.address().port}`);
});
