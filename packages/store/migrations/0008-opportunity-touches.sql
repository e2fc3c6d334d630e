-- Questions about opportunities are about touches of a period: touches stand by time of append, so that most of the others are passed over.
ALTER TABLE touches ADD INDEX IF NOT EXISTS by_time occurred_at TYPE minmax GRANULARITY 1;
