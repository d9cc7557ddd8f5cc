{#-
    Columns that together name a row: present and never twice. An empty table fails too, unless it is
    allowed to be. Rows are first told apart by hash, so that the key of millions of rows costs little.
-#}
{% test primary_key(model, columns, allow_empty=false) %}
{%- set key = columns | join(', ') %}
with repeated_hashes as (
    select {{ row_hash(columns) }} as key_hash
    from {{ model }}
    group by {{ row_hash(columns) }}
    having count(*) > 1
),

repeated as (
    select 'repeated' as problem, count(*) as problem_rows
    from {{ model }}
    where {{ row_hash(columns) }} in (select key_hash from repeated_hashes)
    group by {{ key }}
    having count(*) > 1
),

missing as (
    select 'missing' as problem, count(*) as problem_rows
    from {{ model }}
    where {% for column in columns %}{{ column }} is null{{ ' or ' if not loop.last }}{% endfor %}
    having count(*) > 0
)

select * from repeated
union all
select * from missing
{%- if not allow_empty %}
union all
select 'empty' as problem, count(*) as problem_rows
from {{ model }}
having count(*) = 0
{%- endif %}
{% endtest %}
