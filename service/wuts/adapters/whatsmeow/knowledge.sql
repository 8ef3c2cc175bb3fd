-- All that is known of some people, in one row of two columns: our JID, which is NULL where no
-- device is linked, and a JSON array of people. Each is an array of PN and LID digits (one of them
-- may be null), and then for the PN's row and for the LID's row: whether there is one, its first,
-- full, push and business name and its redacted phone; what is not there is an empty text.
--
-- :pns, :lids   JSON arrays of digits
SELECT
    (SELECT jid FROM whatsmeow_device ORDER BY rowid LIMIT 1),
    json_group_array(json_array(
        person.pn,
        person.lid,
        by_pn.their_jid IS NOT NULL,
        COALESCE(by_pn.first_name, ''),
        COALESCE(by_pn.full_name, ''),
        COALESCE(by_pn.push_name, ''),
        COALESCE(by_pn.business_name, ''),
        COALESCE(by_pn.redacted_phone, ''),
        by_lid.their_jid IS NOT NULL,
        COALESCE(by_lid.first_name, ''),
        COALESCE(by_lid.full_name, ''),
        COALESCE(by_lid.push_name, ''),
        COALESCE(by_lid.business_name, ''),
        COALESCE(by_lid.redacted_phone, '')
    ))
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
    ON by_pn.our_jid = (SELECT jid FROM whatsmeow_device ORDER BY rowid LIMIT 1)
    AND by_pn.their_jid = person.pn || '@s.whatsapp.net'
LEFT JOIN whatsmeow_contacts AS by_lid
    ON by_lid.our_jid = (SELECT jid FROM whatsmeow_device ORDER BY rowid LIMIT 1)
    AND by_lid.their_jid = person.lid || '@lid'
