create table customers (id integer primary key, name text, email text, country text, updated_at text);
insert into customers values
    (1, 'Abel', 'abel@example.org', 'de', '2026-03-01 08:00:00'),
    (2, 'Berta', 'berta@example.org', 'DE', '2026-03-01 09:30:00'),
    (3, 'Carl', 'not an address', 'AT', '2026-03-02 12:00:00'),
    (4, 'Dora', null, 'CH', '2026-03-02 15:45:00'),
    (5, 'Emil', 'emil@example.org', 'at', '2026-03-03 10:10:00');
