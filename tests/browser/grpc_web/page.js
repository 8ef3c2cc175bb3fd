import { call, fields, reasonOf, text } from "./grpc_web.js";

const services = { LinkDevice: "wuts.devices.v1.DevicesService" };
const element = (id) => document.getElementById(id);

// The numbers of the fields are those of contact.proto.
function contact(bytes) {
  const { 1: jid, 3: fullName, 4: pushName } = fields(bytes);
  return { jid: text(jid[0]), full_name: text(fullName[0]), push_name: text(pushName[0]) };
}

async function ask() {
  const method = element("method").value;
  const service = services[method] ?? "wuts.contacts.v1.ContactsService";
  const path = `${service}/${method}`;
  const answer = await call(element("gateway").value, path, element("token").value);
  const lists = method === "ListContacts" ? answer.messages : [];
  return {
    status: answer.status,
    reason: reasonOf(answer.details),
    contacts: lists.flatMap((message) => fields(message)[3].map(contact)),
    messages: answer.messages.length,
  };
}

element("ask").addEventListener("click", async () => {
  element("answer").dataset.done = "false";
  try {
    element("answer").textContent = JSON.stringify(await ask());
  } catch (error) {
    element("answer").textContent = JSON.stringify({ failed: String(error) });
  }
  element("answer").dataset.done = "true";
});
