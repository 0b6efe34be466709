-- Every event that a service heard, with the transactions in which it was told and had its effect.
-- Ordering knows the catalogue from its events; here it is told all of it at once, and nothing sells out.
CREATE EXTENSION IF NOT EXISTS pg_stat_statements;

DO $$ BEGIN
    EXECUTE 'CREATE OR REPLACE VIEW benchmark_deliveries AS ' || (
        SELECT string_agg(format(
            'SELECT log.event_id, log.type, log.occurred_at, log.envelope, %2$L AS heard_by,
                log.xmin AS told_in, heard.xmin AS heard_in
             FROM %1$I.event_log AS log JOIN %2$I.inbox AS heard USING (event_id)',
            told, heard), ' UNION ALL ')
        FROM unnest(ARRAY['catalog', 'identity', 'ordering', 'payments', 'notifier']) AS told,
             unnest(ARRAY['catalog', 'ordering', 'payments', 'notifier']) AS heard);
END $$;

CREATE OR REPLACE VIEW benchmark_under_way AS
SELECT 1 FROM catalog.outbox_pending UNION ALL SELECT 1 FROM ordering.outbox_pending
UNION ALL SELECT 1 FROM payments.outbox_pending UNION ALL SELECT 1 FROM notifier.outbox_pending
UNION ALL SELECT 1 FROM ordering.orders WHERE status = 'placed'
UNION ALL SELECT 1 FROM payments.webhooks WHERE next_attempt_at IS NOT NULL
UNION ALL SELECT 1 FROM notifier.mails WHERE status IN ('pending', 'sending')
UNION ALL SELECT 1 FROM ordering.orders JOIN payments.orders AS paying ON id = order_id
    WHERE paid_reference IS NOT NULL AND orders.status = 'awaiting_payment';

-- Triggers of catalog look for its tables without naming the schema.
SET LOCAL search_path = catalog, public;
UPDATE stock SET on_hand = 1000000;
TRUNCATE ordering.offered_products CASCADE;
INSERT INTO ordering.offered_products (product_id, version) SELECT id, 1 FROM products;
INSERT INTO ordering.offers (sku, product_id, name, options, price_amount, currency, available, buyable)
SELECT sku, product_id, name, options, variants.price_amount, variants.currency, 1000000, true
FROM variants JOIN products ON id = product_id;
