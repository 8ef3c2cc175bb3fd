-- The rows under these JIDs; no name and no number are empty texts.
-- :our_jid   the device, as whatsmeow scopes its rows
-- :jids      a JSON array of JIDs
SELECT
    their_jid,
    COALESCE(first_name, ''),
    COALESCE(full_name, ''),
    COALESCE(push_name, ''),
    COALESCE(business_name, ''),
    COALESCE(redacted_phone, '')
FROM whatsmeow_contacts
WHERE our_jid = :our_jid AND their_jid IN (SELECT value FROM json_each(:jids))
