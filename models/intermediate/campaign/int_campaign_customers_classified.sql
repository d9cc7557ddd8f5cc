{{ config(enabled=has_campaign(), post_hook="{{ stop_without_campaign_customers() }}") }}

{#- Income has a reason of its own, and goes before. -#}
{%- set needed = campaign_counts() + campaign_money() + campaign_answers() -%}

with customers as (
    select * from {{ ref('stg_campaign__customers') }}
),

{# The data's own last day is the moment at which its customers are measured. The encoded shape has no
   days, but counts them from one and the same moment: the fewest are the last registration's. #}
life_of_the_campaign as (
    {{ days_of_life(ref('stg_campaign__customers'), 'registered_on', 'customer_id') }}
),

latest as (
    select min(stated_customer_days) as fewest_customer_days
    from customers
),

measured as (
    select
        customers.*,
        life_of_the_campaign.first_day,
        life_of_the_campaign.last_day,
        coalesce(
            customers.stated_age, extract(year from life_of_the_campaign.last_day) - customers.birth_year
        ) as age,
        coalesce(
            customers.stated_customer_days - latest.fewest_customer_days, life_of_the_campaign.last_day - customers.registered_on
        ) as customer_days
    from customers
    cross join life_of_the_campaign
    cross join latest
),

judged as (
    select
        *,
        case
            when malformed_reason is not null then malformed_reason
            when source_text is not null then 'unreadable_value'
            when customer_id is null then 'missing_customer'
            when income is null then 'missing_income'
            when age is null then 'missing_age'
            when customer_days is null then 'missing_date'
            when
                income is null
                {%- for column in needed %}
                or {{ column }} is null
                {%- endfor %}
                then 'missing_value'
            when income < 0 or income >= 200000 then 'implausible_income'
            when birth_year <= 1930 or age < 0 then 'implausible_birth_year'
            when registered_on not between first_day and last_day then 'implausible_date'
            when
                income < 0
                {%- for column in campaign_counts() + campaign_money() %}
                or {{ column }} < 0
                {%- endfor %}
                then 'negative_value'
            when coalesce(marital_status, '') not in ('Divorced', 'Married', 'Single', 'Together', 'Widow') then 'unknown_marital_status'
        end as own_reason
    from measured
),

{# Of several lines with one identifier, the first is kept that nothing else speaks against. #}
numbered as (
    select
        *,
        row_number() over (
            partition by customer_id, own_reason is null
            order by source_line
        ) as line_number
    from judged
),

classified as (
    select
        source_file,
        source_line,
        customer_id,
        education,
        marital_status,
        birth_year,
        registered_on,
        last_day as as_of_date,
        cast(age as integer) as age,
        cast(customer_days as integer) as customer_days,
        {%- for column in needed %}
        {{ column }},
        {%- endfor %}
        coalesce(own_reason, case when line_number > 1 then 'duplicate_customer' end) as reject_reason,
        source_text
    from numbered
)

select * from classified
