// Makes one call with @grpc/grpc-js and prints what came of it as one JSON object.
//
// NODE_PATH=.venv/node/node_modules node client.cjs ADDRESS DESCRIPTORS TOKEN SERVICE METHOD REQUEST

"use strict";

const fs = require("node:fs");
const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");

const SECONDS = 10;
const [address, descriptors, token, service, method, request] = process.argv.slice(2);

// Names as in the protos; what is absent stays absent; several values of a oneof do not show twice.
const definition = loader.loadFileDescriptorSetFromBuffer(fs.readFileSync(descriptors), {
  keepCase: true,
  longs: String,
  enums: String,
  arrays: false,
});

const Stub = service.split(".").reduce((found, name) => found[name], grpc.loadPackageDefinition(definition));
const client = new Stub(address, grpc.credentials.createInsecure());
const metadata = new grpc.Metadata();
metadata.set("authorization", `Bearer ${token}`);
const options = { deadline: Date.now() + SECONDS * 1000 };
const messages = [];
let isFinished = false;

function finish(error) {
  if (isFinished) return; // a stream that failed also ends
  isFinished = true;
  const details = error?.metadata?.get("grpc-status-details-bin")[0];
  console.log(
    JSON.stringify({
      messages,
      code: error?.code ?? grpc.status.OK,
      message: error?.details ?? "",
      details: details ? details.toString("base64") : "",
    }),
  );
  client.close();
}

if (Stub.service[method].responseStream) {
  const stream = client[method](JSON.parse(request), metadata, options);
  stream.on("data", (message) => messages.push(message));
  stream.on("error", finish);
  stream.on("end", () => finish(null));
} else {
  client[method](JSON.parse(request), metadata, options, (error, message) => {
    if (message) messages.push(message);
    finish(error);
  });
}
