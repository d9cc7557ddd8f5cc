{#- What each setting must be. The defaults stand in dbt_project.yml, their meaning too. -#}
{% macro setting_kinds() -%}
    {{ return({
        'invoices': {'kind': 'text', 'is_required': true},
        'invoice_columns': {'kind': 'mapping', 'words': invoice_columns()},
        'invoice_format': {
            'kind': 'mapping',
            'words': ['encoding', 'delimiter', 'quotes', 'header_line', 'sheet', 'dates', 'decimal_mark'],
        },
        'preset': {'kind': 'text'},
        'pass_through': {'kind': 'texts'},
        'time_zone': {'kind': 'text', 'is_required': true},
        'null_words': {'kind': 'texts'},
        'guests': {'kind': 'texts'},
        'order_status': {'kind': 'texts'},
        'currency': {'kind': 'text'},
        'currency_rates': {'kind': 'text'},
        'customer_ids': {'kind': 'text'},
        'non_product_codes': {'kind': 'texts', 'is_optional': true},
        'upper_case_products': {'kind': 'yes_or_no'},
        'rejected_limit': {'kind': 'share'},
        'accepted_reasons': {'kind': 'texts'},
        'longest_pause_days': {'kind': 'whole', 'least': 1},
        'drop_exact_duplicates': {'kind': 'yes_or_no'},
        'cancellation_prefix': {'kind': 'text'},
        'as_of': {'kind': 'moment'},
        'prediction_days': {'kind': 'choice', 'numbers': [30, 60, 90, 180]},
        'segmentations': {'kind': 'mapping'},
        'compared_algorithms': {'kind': 'list', 'words': algorithms()},
        'stability_refits': {'kind': 'whole', 'least': 0},
        'refit': {'kind': 'word', 'words': ['auto', 'always', 'never']},
        'source_name': {'kind': 'text'},
        'campaign_customers': {'kind': 'text'},
        'primary_segmentation': {'kind': 'text', 'is_required': true},
        'pairs_least_baskets': {'kind': 'whole', 'least': 1},
        'pairs_least_support': {'kind': 'share'},
        'pairs_largest_basket': {'kind': 'whole', 'least': 2},
        'pairs_sampled_baskets': {'kind': 'whole', 'least': 1},
    }) }}
{%- endmacro %}

{#- Our columns of invoice lines, for which the var invoice_columns can name others. -#}
{% macro invoice_columns() -%}
    {{ return([
        'invoice_id', 'product_id', 'customer_id', 'description', 'country', 'quantity', 'unit_price', 'line_amount', 'invoiced_at',
        'discount', 'currency', 'order_status', 'document_type', 'category', 'brand', 'unit_cost', 'channel',
    ]) }}
{%- endmacro %}

{#- A setting, checked: text is trimmed and '' where there is none, a moment is text. Models and macros read
    settings through this macro, so that none is ever used unchecked. -#}
{% macro setting(name) -%}
    {%- set must = setting_kinds()[name] -%}
    {%- set value = var(name) -%}
    {%- if must.kind == 'text' -%}
        {%- if value is none -%}
            {%- set value = '' -%}
        {%- elif value is boolean or (value is not string and value is not number) -%}
            {{ stop_at(name, "must be text, got " ~ value ~ ". Text that YAML reads as something else stands in quotes: '" ~ value ~ "'") }}
        {%- endif -%}
        {%- set value = value | string | trim -%}
        {%- if must.is_required and not value -%}
            {{ stop_at(name, "is empty") }}
        {%- endif -%}
        {{ return(value) }}
    {%- elif must.kind == 'whole' -%}
        {%- do check_whole(name, value, must.least) -%}
    {%- elif must.kind == 'choice' -%}
        {%- if value is not none and (value is not integer or value is boolean or value not in must.numbers) -%}
            {{ stop_at(name, "must be one of " ~ must.numbers | join(', ') ~ ", or null, got " ~ value) }}
        {%- endif -%}
    {%- elif must.kind == 'share' -%}
        {%- if value is not number or value is boolean or not 0 <= value <= 1 -%}
            {{ stop_at(name, "must be a share, 0 to 1, got " ~ value) }}
        {%- endif -%}
    {%- elif must.kind == 'yes_or_no' -%}
        {%- if value is not boolean -%}
            {{ stop_at(name, "must be true or false, got " ~ value) }}
        {%- endif -%}
    {%- elif must.kind == 'word' -%}
        {%- do check_word(name, value, must.words) -%}
    {%- elif must.kind == 'list' -%}
        {%- if value is not sequence or value is string or value is mapping -%}
            {{ stop_at(name, "must be a list of " ~ must.words | join(', ') ~ ", perhaps empty: [], got " ~ value) }}
        {%- endif -%}
        {%- for word in value -%}
            {%- do check_word(name, word, must.words) -%}
        {%- endfor -%}
    {%- elif must.kind == 'texts' -%}
        {%- if value is none -%}
            {{ return(none if must.is_optional else []) }}
        {%- elif value is not sequence or value is string or value is mapping -%}
            {{ stop_at(name, "must be a list of texts, perhaps empty: [], got " ~ value) }}
        {%- endif -%}
        {%- set texts = [] -%}
        {%- for text in value -%}
            {%- if text is boolean or (text is not string and text is not number) -%}
                {{ stop_at(name, "must hold texts, got " ~ text ~ ". Text that YAML reads as something else stands in quotes: '" ~ text ~ "'") }}
            {%- endif -%}
            {%- do texts.append(text | string) -%}
        {%- endfor -%}
        {{ return(texts) }}
    {%- elif must.kind == 'mapping' -%}
        {%- if value is none -%}
            {{ return({}) }}
        {%- elif value is not mapping -%}
            {{ stop_at(name, "must map names to values, such as {name: value}, got " ~ value) }}
        {%- endif -%}
        {%- for word, text in value.items() if must.words -%}
            {%- do check_word(name, word, must.words) -%}
            {%- if text is not string and text is not none and (text is not integer or text is boolean) and word != 'sheet' -%}
                {{ stop_at(name ~ '.' ~ word, "must be text, got " ~ text) }}
            {%- endif -%}
        {%- endfor -%}
    {%- elif must.kind == 'moment' -%}
        {%- set value = '' if value is none else value | string | trim -%}
        {%- if value and not modules.re.fullmatch('\\d{4}-\\d{2}-\\d{2}([ T]\\d{2}:\\d{2}(:\\d{2})?)?', value, modules.re.ASCII) -%}
            {{ stop_at(name, "must look like 2011-12-10 or 2011-12-10 12:50:00, got '" ~ value ~ "'") }}
        {%- endif -%}
        {{ return(value) }}
    {%- endif -%}
    {{ return(value) }}
{%- endmacro %}

{#- Every setting is checked before anything is built, and what is given must be one: a misspelt name would
    leave its setting at the default without a word. -#}
{% macro check_settings() -%}
    {%- if execute -%}
        {%- set known = setting_kinds() -%}
        {%- for name in invocation_args_dict.vars or {} if name not in known -%}
            {{ stop("there is no setting " ~ name ~ (did_you_mean(name, known | list) or ".") ~ " The settings are " ~ known | join(', ')) }}
        {%- endfor -%}
        {%- for name in known -%}
            {%- do setting(name) -%}
        {%- endfor -%}
        {%- do segmentations() -%}
        {%- set moment = setting('as_of') -%}
        {%- if moment and run_query("select try_cast(" ~ sql_text(moment) ~ " as timestamp)").rows[0][0] is none -%}
            {{ stop_at('as_of', "is no day of the calendar, or no time of day: " ~ moment) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
