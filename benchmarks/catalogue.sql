-- A catalogue of :products products, the same at every call: 60 categories in two levels, 40 tags, one or
-- two variants each, stock for nine in ten. "Classic" is in every fifth name, "rare…" in one.
-- Nothing of it can break a rule, so foreign keys are not looked up (which takes a superuser).
SET LOCAL session_replication_role = replica;

INSERT INTO categories (id, slug, name, parent_id, position, version)
SELECT md5('category ' || n)::uuid, 'shelf-' || n, 'Shelf ' || n,
       CASE WHEN n > 10 THEN md5('category ' || (n % 10 + 1))::uuid END, n, 1
FROM generate_series(1, 60) AS n;

CREATE TEMPORARY TABLE made ON COMMIT DROP AS
SELECT n, md5('product ' || n) AS hash,
       CAST(lpad(to_hex(n), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0') AS uuid) AS id,
       (ARRAY['Ankara', 'Àdìrẹ', 'Kente', 'Bolga', 'Calabash', 'Indigo', 'Woven', 'Carved', 'Bronze',
              'Leather', 'Raffia', 'Ivory', 'Cotton', 'Velvet', 'Beaded', 'Painted'])[1 + n % 16]
       || CASE WHEN n % 5 = 0 THEN ' classic ' ELSE ' ' END
       || (ARRAY['basket', 'wrapper', 'shirt', 'lamp', 'stool', 'drum', 'bowl', 'necklace', 'sandals',
                 'mask', 'scarf', 'mat', 'pot', 'fan', 'bracelet', 'tray', 'kaftan', 'cushion',
                 'bag'])[1 + n / 16 % 19]
       || ' of ' || (ARRAY['Lagos', 'Kano', 'Ibadan', 'Enugu', 'Jos', 'Benin', 'Abuja'])[1 + n / 7 % 7]
       || ' rare' || n AS name,
       100 * (1 + mod(n::bigint * 7919, 99991)) AS price
FROM generate_series(1, :products) AS n;

INSERT INTO products (id, slug, name, description, category_id, tags, featured, status, price_amount,
    currency, in_stock, sole_sku, rating_average, rating_count, sort_name, search, created_at,
    updated_at, version)
SELECT id, 'product-' || n, name, body, md5('category ' || (1 + n % 60))::uuid, tags, n % 50 = 0,
       'published', price, 'NGN', n % 10 > 0, CASE WHEN n % 4 > 0 THEN 'SKU-' || n END,
       CASE WHEN n % 3 = 0 THEN 100 + n % 401 ELSE 0 END, 0,
       left(folded(name), 100),
       setweight(to_tsvector('simple', folded(name)), 'A')
           || setweight(to_tsvector('simple', folded('SKU-' || n)), 'A')
           || setweight(to_tsvector('simple', folded(array_to_string(tags, ' '))), 'B')
           || setweight(to_tsvector('simple', folded('Shelf ' || (1 + n % 60))), 'B')
           || setweight(to_tsvector('simple', folded(body)), 'C'),
       timestamptz '2026-01-01' + n * interval '1 minute',
       timestamptz '2026-01-01' + n * interval '1 minute', 1
FROM made, LATERAL (
    SELECT ARRAY['tag ' || n % 40, 'tag ' || n / 40 % 40] AS tags,
           'Made by hand from what grows around ' || substr(hash, 1, 4) || ', dyed with '
           || (ARRAY['indigo', 'kola', 'camwood', 'clay'])[1 + n % 4] || ' and finished by '
           || substr(hash, 5, 3) || '. Wash it cold and dry it in the shade; it lasts for years.' AS body
) AS texts;

INSERT INTO variants (sku, product_id, options, price_amount, currency, position, offered)
SELECT 'SKU-' || n || CASE copy WHEN 1 THEN '' ELSE '-L' END, id,
       jsonb_build_object('size', CASE copy WHEN 1 THEN 'M' ELSE 'L' END), price + 100 * (copy - 1),
       'NGN', copy - 1, true
FROM made, generate_series(1, CASE WHEN n % 4 = 0 THEN 2 ELSE 1 END) AS copy;

INSERT INTO stock (sku, product_id, on_hand, reserved, low_stock_threshold, version)
SELECT 'SKU-' || n || CASE copy WHEN 1 THEN '' ELSE '-L' END, id, CASE WHEN n % 10 > 0 THEN 20 ELSE 0 END,
       0, 2, 1
FROM made, generate_series(1, CASE WHEN n % 4 = 0 THEN 2 ELSE 1 END) AS copy;

INSERT INTO product_images (id, product_id, public_id, url, thumbnail_url, alt, position, created_at)
SELECT md5('image ' || n)::uuid, id, 'products/' || n,
       'https://images.example/products/' || n || '.jpg',
       'https://images.example/c_fill,w_400/products/' || n || '.jpg', name, 0, now()
FROM made;
