{#- Customers of one shop must not be predicted by what was learnt from another. A whole build learns on its way here; a
    score comes here with what the last one has learnt. -#}
{% macro stop_without_weights() -%}
    {%- set weights = ref('prediction_weights') -%}
    {%- if execute and not flags.EMPTY -%}
        {%- if load_relation(weights) is none -%}
            {{ stop("nothing is learnt for predictions yet; run a whole build once") }}
        {%- endif -%}
        {%- for source, days in run_query(
            "select distinct source_key, prediction_days from " ~ weights ~ " where target <> 'spend_365d'"
        ).rows -%}
            {%- if source != source_key('invoice_customers') -%}
                {{ stop("var invoices: predictions were learnt from another source; run a whole build once") }}
            {%- endif -%}
            {%- if days != (setting('prediction_days') or days) -%}
                {{ stop("var prediction_days: the last build predicted " ~ days ~ " days; run a whole build once") }}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}

{#- In a score, how far ahead the last build predicts; else nothing. The models that predict stand behind those that ask,
    so this is no ref. -#}
{% macro learnt_prediction_days() -%}
    {%- if execute and invocation_args_dict.get('selector') == 'score' -%}
        {%- set weights = adapter.get_relation(database=target.database, schema='marts', identifier='prediction_weights') -%}
        {%- if weights is not none -%}
            {{ return(run_query("select max(prediction_days) from " ~ weights ~ " where target <> 'spend_365d'").rows[0][0]) }}
        {%- endif -%}
    {%- endif -%}
    {{ return(none) }}
{%- endmacro %}
