{#-
    Columns that together name a row: present and never twice. An empty table fails too, unless it is
    allowed to be. Rows are first told apart by hash, so that the key of millions of rows costs little;
    where no hash is suspicious, nothing is read again.
-#}
{% test primary_key(model, columns, allow_empty=false) %}
{%- set key = columns | join(', ') %}
{%- set is_missing = columns | map('string') | join(' is null or ') ~ ' is null' %}
with hashed as (
    select
        {{ row_hash(columns) }} as key_hash,
        {{ is_missing }} as is_missing
    from {{ model }}
),

{# Sorting hashes costs two thirds of what grouping them does, when nearly all differ. #}
numbered as (
    select
        key_hash,
        is_missing,
        row_number() over (partition by key_hash) as place
    from hashed
),

suspicious_hashes as (
    select key_hash
    from numbered
    where
        place = 2
        or is_missing
),

suspicious_rows as (
    select
        {{ key }},
        count(*) as key_rows
    from {{ model }}
    where {{ row_hash(columns) }} in (select suspicious_hashes.key_hash from suspicious_hashes)
    group by {{ key }}
    having
        count(*) > 1
        or {{ is_missing }}
),

problems as (
    select
        'repeated or missing' as problem,
        key_rows
    from suspicious_rows
    {%- if not allow_empty %}
    union all
    select
        'empty' as problem,
        0 as key_rows
    where not exists (select 1 from {{ model }})
    {%- endif %}
)

select * from problems
{% endtest %}
