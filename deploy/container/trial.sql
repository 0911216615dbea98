CREATE TABLE orders (id bigserial PRIMARY KEY, state text DEFAULT 'new', at timestamptz DEFAULT now());
INSERT INTO orders (state) SELECT 'new' FROM generate_series(1, 1000);
