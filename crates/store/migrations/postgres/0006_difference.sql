-- A line can be the difference to an issued one.
ALTER TABLE posting DROP CONSTRAINT posting_kind;
ALTER TABLE posting ADD CONSTRAINT posting_kind CHECK (kind IN ('create_line', 'replace_line', 'delete_line', 'credit', 'difference', 'void'));
ALTER TABLE attempt DROP CONSTRAINT attempt_verb;
ALTER TABLE attempt ADD CONSTRAINT attempt_verb CHECK (verb IN ('create', 'replace', 'delete', 'credit', 'difference', 'void'));
