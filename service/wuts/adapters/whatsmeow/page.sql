-- One page of people: a cursor and the six columns of a Contact each. Names are merged as by
-- Names.filled_from.
--
-- c is the row that represents a person: the PN row, or the LID row when there is
-- no PN row. twin is the LID row of the same person, if any. The cursor is the
-- representative's their_jid, so a page is one walk along the primary key.
--
-- :our_jid                    the device, as whatsmeow scopes its rows
-- :own_pn, :own_lid           digits of the account itself; '' when unknown
-- :own_pn_jid, :own_lid_jid   the same as JIDs
-- :before, :limit             the cursor and the number of rows
SELECT
    c.their_jid AS cursor,
    COALESCE(by_lid.pn || '@s.whatsapp.net', c.their_jid) AS jid,
    CASE
        WHEN c.their_jid GLOB '*@lid' THEN c.their_jid
        ELSE COALESCE(by_pn.lid || '@lid', '')
    END AS lid_jid,
    -- The saved names are a pair: both are the PN row's if it has either, else the LID row's.
    COALESCE(
        CASE WHEN c.full_name <> '' OR c.first_name <> '' THEN c.first_name ELSE twin.first_name END,
        ''
    ) AS first_name,
    COALESCE(
        CASE WHEN c.full_name <> '' OR c.first_name <> '' THEN c.full_name ELSE twin.full_name END,
        ''
    ) AS full_name,
    COALESCE(NULLIF(c.push_name, ''), twin.push_name, '') AS push_name,
    COALESCE(NULLIF(c.business_name, ''), twin.business_name, '') AS business_name
FROM whatsmeow_contacts AS c
LEFT JOIN whatsmeow_lid_map AS by_lid
    -- A key of NULL is never looked for: each row takes one look into the map, not two.
    ON by_lid.lid = CASE
        WHEN c.their_jid GLOB '*@lid' THEN substr(c.their_jid, 1, length(c.their_jid) - 4)
    END
LEFT JOIN whatsmeow_lid_map AS by_pn
    ON by_pn.pn = CASE
        WHEN c.their_jid GLOB '*@s.whatsapp.net' THEN substr(c.their_jid, 1, length(c.their_jid) - 15)
    END
LEFT JOIN whatsmeow_contacts AS twin
    ON twin.our_jid = c.our_jid
    AND twin.their_jid = COALESCE(by_lid.pn || '@s.whatsapp.net', by_pn.lid || '@lid')
WHERE c.our_jid = :our_jid
    AND c.their_jid < :before
    AND (c.their_jid GLOB '*@s.whatsapp.net' OR c.their_jid GLOB '*@lid')
    -- A LID row whose person has a PN row is told by that row.
    AND (by_lid.lid IS NULL OR twin.their_jid IS NULL)
    -- The account itself, under whichever JID and pair it is known.
    AND c.their_jid NOT IN (:own_pn_jid, :own_lid_jid)
    AND by_lid.pn IS NOT :own_pn
    AND by_pn.lid IS NOT :own_lid
    AND (
        c.full_name <> '' OR c.push_name <> '' OR c.first_name <> '' OR c.business_name <> ''
        OR twin.full_name <> '' OR twin.push_name <> ''
        OR twin.first_name <> '' OR twin.business_name <> ''
    )
ORDER BY c.their_jid DESC
LIMIT :limit
