// As much of gRPC-Web as a page needs to make a call and to read messages, status and details.

const utf8 = new TextDecoder();

// Reads the fields of a protobuf message: number -> list of values (bytes, or a number).
export function fields(bytes) {
  const found = {};
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at++];
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    let value = varint();
    if ((tag & 7) === 2) value = bytes.subarray(at, (at += value));
    (found[tag >> 3] ??= []).push(value);
  }
  return found;
}

export const text = (bytes) => (bytes ? utf8.decode(bytes) : "");

// Makes a call with an empty request; gives its messages, its status, and the status' details.
export async function call(gateway, path, token) {
  const response = await fetch(`${gateway}/${path}`, {
    method: "POST",
    headers: {
      "content-type": "application/grpc-web+proto",
      "x-grpc-web": "1",
      authorization: `Bearer ${token}`,
    },
    body: new Uint8Array(5), // one frame with a message of no bytes
  });
  // A call that fails before its first message has its trailers among the headers.
  const trailers = new Headers(response.headers);
  const messages = [];
  const body = new Uint8Array(await response.arrayBuffer());
  for (let at = 0; at < body.length; ) {
    const length = new DataView(body.buffer, at + 1, 4).getUint32(0);
    const frame = body.subarray(at + 5, at + 5 + length);
    if (body[at] & 128) {
      for (const line of text(frame).split("\r\n").filter(Boolean)) {
        const colon = line.indexOf(":");
        trailers.set(line.slice(0, colon), line.slice(colon + 1).trim());
      }
    } else {
      messages.push(frame);
    }
    at += 5 + length;
  }
  const details = trailers.get("grpc-status-details-bin") ?? "";
  return {
    messages,
    status: Number(trailers.get("grpc-status")),
    details: Uint8Array.from(atob(details), (letter) => letter.charCodeAt(0)),
  };
}

// Finds the reason in the one google.rpc.ErrorInfo of a google.rpc.Status.
export function reasonOf(details) {
  for (const packed of fields(details)[3] ?? []) {
    const { 1: [type], 2: [value] } = fields(packed);
    if (text(type).endsWith("/google.rpc.ErrorInfo")) return text(fields(value)[1][0]);
  }
  return "";
}
