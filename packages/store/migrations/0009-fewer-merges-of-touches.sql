-- Merges of few parts at a time took 40 % of what it costs to store a touch. Parts wait until there are ten to merge at once: each row is then
-- written again half as often, and a reader opens some tens of parts at most.
ALTER TABLE touches MODIFY SETTING min_parts_to_merge_at_once = 10;
