// The same three calls as a competent Node service: Fastify, Node's own SQLite, schemas for what is
// sent, prepared statements, one transaction a request. `node server.cjs STORE PICTURE TOKEN PORT`

"use strict";

const { DatabaseSync } = require("node:sqlite");
const fastify = require("fastify");

const [store, picture, token, port] = process.argv.slice(2);
const database = new DatabaseSync(store, { readOnly: true });
database.exec("PRAGMA cache_size = -65536");
const own = database.prepare("SELECT jid FROM whatsmeow_device").get().jid;

const text = { type: "string" };
const object = (properties, required = []) => ({ type: "object", properties, required });
const array = (items) => ({ type: "array", items });
const names = { first_name: text, full_name: text, push_name: text, business_name: text };
const success = { type: "boolean" };
const count = { type: "integer" };

const contactsSchema = object({
  success,
  count,
  contacts: array(object({ jid: text, ...names }, ["jid"])),
});
const pictureSchema = object({
  success,
  data: object({ jid: text, url: text, id: text, type: text, direct_path: text }),
});
const itemsSchema = object({
  success,
  count,
  items: array(
    object({
      input: text,
      input_jid: text,
      resolved_jid: text,
      jid: text,
      phone_number: text,
      lid_jid: text,
      full_name: text,
      push_name: text,
      status: text,
    }),
  ),
});
const identifiersSchema = object(
  { jids: { ...array(text), minItems: 1, maxItems: 160 } },
  ["jids"],
);

// One statement for the list: everybody with a name, a LID merged into its phone number.
const allContacts = database.prepare(`
  SELECT
    COALESCE(by_lid.pn || '@s.whatsapp.net', c.their_jid) AS jid,
    CASE WHEN c.full_name <> '' OR c.first_name <> '' THEN c.first_name ELSE twin.first_name END AS first_name,
    CASE WHEN c.full_name <> '' OR c.first_name <> '' THEN c.full_name ELSE twin.full_name END AS full_name,
    COALESCE(NULLIF(c.push_name, ''), twin.push_name) AS push_name,
    COALESCE(NULLIF(c.business_name, ''), twin.business_name) AS business_name
  FROM whatsmeow_contacts AS c
  LEFT JOIN whatsmeow_lid_map AS by_lid
    ON by_lid.lid = CASE WHEN c.their_jid LIKE '%@lid' THEN substr(c.their_jid, 1, length(c.their_jid) - 4) END
  LEFT JOIN whatsmeow_lid_map AS by_pn
    ON by_pn.pn = CASE WHEN c.their_jid LIKE '%@s.whatsapp.net' THEN substr(c.their_jid, 1, length(c.their_jid) - 15) END
  LEFT JOIN whatsmeow_contacts AS twin
    ON twin.our_jid = c.our_jid
    AND twin.their_jid = COALESCE(by_lid.pn || '@s.whatsapp.net', by_pn.lid || '@lid')
  WHERE c.our_jid = ?
    AND (by_lid.lid IS NULL OR twin.their_jid IS NULL)
    AND (c.full_name <> '' OR c.first_name <> '' OR c.push_name <> '' OR c.business_name <> ''
      OR twin.full_name <> '' OR twin.first_name <> '' OR twin.push_name <> '' OR twin.business_name <> '')`);
const personOf = database.prepare(
  "SELECT first_name, full_name, push_name, business_name FROM whatsmeow_contacts WHERE our_jid = ? AND their_jid = ?",
);
const pnOf = database.prepare("SELECT pn FROM whatsmeow_lid_map WHERE lid = ?");
const lidOf = database.prepare("SELECT lid FROM whatsmeow_lid_map WHERE pn = ?");

function contact(row) {
  const told = { jid: row.jid };
  if (row.first_name) told.first_name = row.first_name;
  if (row.full_name) told.full_name = row.full_name;
  if (row.push_name) told.push_name = row.push_name;
  if (row.business_name) told.business_name = row.business_name;
  return told;
}

function resolve(input) {
  const [user, server] = input.split("@");
  const isLid = server === "lid";
  const pn = isLid ? pnOf.get(user)?.pn : user;
  const lid = isLid ? user : lidOf.get(user)?.lid;
  const pnJid = pn && `${pn}@s.whatsapp.net`;
  const lidJid = lid && `${lid}@lid`;
  const row = pnJid && personOf.get(own, pnJid);
  const twin = lidJid && personOf.get(own, lidJid);
  const saved = row?.full_name || row?.first_name ? row : twin;
  const item = { input, input_jid: isLid ? lidJid : pnJid, jid: pnJid || lidJid };
  if (pnJid) item.resolved_jid = pnJid;
  if (pn) item.phone_number = pn;
  if (lidJid) item.lid_jid = lidJid;
  if (saved?.full_name) item.full_name = saved.full_name;
  const push = row?.push_name || twin?.push_name;
  if (push) item.push_name = push;
  if (!row && !(pn && lid)) {
    const isNamed =
      !pn && twin && (twin.full_name || twin.first_name || twin.push_name || twin.business_name);
    item.status = isNamed ? "PHONE_HIDDEN" : "UNKNOWN";
  }
  return item;
}

const pictures = new Map([[JSON.parse(picture).jid, JSON.parse(picture)]]);
const devices = new Map([[`Bearer ${token}`, "device"]]);
const app = fastify();

app.addHook("onRequest", async (request, reply) => {
  if (!devices.has(request.headers.authorization)) reply.code(401).send({ success: false });
});

app.get("/contacts", { schema: { response: { 200: contactsSchema } } }, async () => {
  const contacts = allContacts.all(own).map(contact);
  return { success: true, count: contacts.length, contacts };
});

app.get(
  "/contacts/profile-picture",
  { schema: { querystring: object({ number: text }, ["number"]), response: { 200: pictureSchema } } },
  async (request, reply) => {
    const data = pictures.get(`${request.query.number}@s.whatsapp.net`);
    return data ? { success: true, data } : reply.code(404).send({ success: false });
  },
);

app.post(
  "/contacts/resolve",
  { schema: { body: identifiersSchema, response: { 200: itemsSchema } } },
  async (request) => {
    database.exec("BEGIN");
    try {
      const items = request.body.jids.map(resolve);
      return { success: true, count: items.length, items };
    } finally {
      database.exec("COMMIT");
    }
  },
);

app.listen({ host: "127.0.0.1", port: Number(port) });
