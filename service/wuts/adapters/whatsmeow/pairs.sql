-- The LID pairs of these people.
-- :lids, :pns   JSON arrays of digits
SELECT lid, pn FROM whatsmeow_lid_map WHERE lid IN (SELECT value FROM json_each(:lids))
UNION
SELECT lid, pn FROM whatsmeow_lid_map WHERE pn IN (SELECT value FROM json_each(:pns))
