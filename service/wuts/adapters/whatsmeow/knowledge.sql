-- All that is known of some people, in one row of two columns: our JID, NULL where no device is
-- linked, and JSON in UTF-8: an array of people, each an array of PN digits, LID digits, the PN's
-- row and the LID's row; null for what is not there. A row is an array of the four names, in an
-- array of their own, and the redacted phone; an empty text for what is not there. What a foreign
-- hand has left that is no text is made one: JSON has no place for bytes.
--
-- :pns, :lids   JSON arrays of digits
WITH own AS (SELECT jid FROM whatsmeow_device ORDER BY rowid LIMIT 1)
SELECT
    (SELECT jid FROM own),
    CAST(json_group_array(json_array(
        person.pn,
        person.lid,
        CASE WHEN by_pn.their_jid IS NOT NULL THEN json_array(
            json_array(
                CAST(COALESCE(by_pn.first_name, '') AS TEXT),
                CAST(COALESCE(by_pn.full_name, '') AS TEXT),
                CAST(COALESCE(by_pn.push_name, '') AS TEXT),
                CAST(COALESCE(by_pn.business_name, '') AS TEXT)
            ),
            CAST(COALESCE(by_pn.redacted_phone, '') AS TEXT)
        ) END,
        CASE WHEN by_lid.their_jid IS NOT NULL THEN json_array(
            json_array(
                CAST(COALESCE(by_lid.first_name, '') AS TEXT),
                CAST(COALESCE(by_lid.full_name, '') AS TEXT),
                CAST(COALESCE(by_lid.push_name, '') AS TEXT),
                CAST(COALESCE(by_lid.business_name, '') AS TEXT)
            ),
            CAST(COALESCE(by_lid.redacted_phone, '') AS TEXT)
        ) END
    )) AS BLOB)
FROM (
    SELECT asked.value AS pn, map.lid AS lid
    FROM json_each(:pns) AS asked
    LEFT JOIN whatsmeow_lid_map AS map ON map.pn = asked.value
    UNION ALL
    SELECT map.pn, asked.value
    FROM json_each(:lids) AS asked
    LEFT JOIN whatsmeow_lid_map AS map ON map.lid = asked.value
) AS person
LEFT JOIN whatsmeow_contacts AS by_pn
    ON by_pn.our_jid = (SELECT jid FROM own)
    AND by_pn.their_jid = person.pn || '@s.whatsapp.net'
LEFT JOIN whatsmeow_contacts AS by_lid
    ON by_lid.our_jid = (SELECT jid FROM own)
    AND by_lid.their_jid = person.lid || '@lid'
