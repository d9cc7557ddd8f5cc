{#-
    The edge of the project: everything that knows about files stands in files.sql, here and in
    python_models/files. read_invoices() is the invoice lines of the var `invoices` under our column
    names, as they stand in the source, with the file and line of each. Identifiers are text; nothing
    else is converted and nothing left out.
-#}

{#- Our columns and the names, folded by fold_name(), under which they are recognised. -#}
{% macro invoice_column_names() -%}
    {{ return({
        'invoice_id': ['invoiceid', 'invoiceno', 'invoice', 'invoicenumber', 'orderid'],
        'product_id': ['productid', 'stockcode', 'sku', 'itemid'],
        'customer_id': ['customerid', 'customer'],
        'description': ['description', 'productdescription', 'productname'],
        'country': ['country'],
        'quantity': ['quantity', 'qty'],
        'unit_price': ['unitprice', 'price'],
        'line_amount': ['lineamount'],
        'invoiced_at': ['invoicedat', 'invoicedate', 'orderdate', 'timestamp'],
    }) }}
{%- endmacro %}

{#- Lines are read more than once. Parquet is cheap to read and numbers its own rows; parsing text is dear,
    and rows of a relation have no numbers until they are given some, once. -#}
{% macro landing_materialization() -%}
    {{ return('view' if kind_of(setting('invoices')) == 'parquet' else 'table') }}
{%- endmacro %}

{#- The paths of the invoice lines, in order. -#}
{% macro invoice_paths() -%}
    {{ return(paths_of('invoices', setting('invoices'), 'make build INVOICES=my_invoices.csv')) }}
{%- endmacro %}

{% macro open_invoices(path, name) -%}
    {{ return(open_source('invoices', path, name, setting('invoice_format'))) }}
{%- endmacro %}

{#- {our name: the source's name}; stops where a needed column can't be found. -#}
{% macro match_invoice_columns(name, source_columns) -%}
    {%- set stated = setting('invoice_columns') -%}
    {%- set known = invoice_column_names() -%}
    {%- set hint = " It has: " ~ source_columns | join(', ') ~ ". Say which is which: VARS='{invoice_columns: {our name: your name}}'" -%}
    {%- set matched = {} -%}
    {%- for ours, names in known.items() -%}
        {%- set found = [] -%}
        {%- for theirs in source_columns -%}
            {%- if theirs == stated.get(ours) or (ours not in stated and theirs not in stated.values() and fold_name(theirs) in names) -%}
                {%- do found.append(theirs) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- if found | length > 1 -%}
            {{ stop("invoices: " ~ name ~ " has several columns that could be " ~ ours ~ ": " ~ found | join(', ') ~ "." ~ hint) }}
        {%- elif found -%}
            {%- do matched.update({ours: found[0]}) -%}
        {%- elif stated.get(ours) -%}
            {{ stop("invoices: " ~ name ~ " has no column " ~ stated[ours] ~ " for " ~ ours ~ "." ~ hint) }}
        {%- endif -%}
    {%- endfor -%}
    {%- set missing = [] -%}
    {%- for ours in ['invoiced_at', 'customer_id'] if ours not in matched -%}
        {%- do missing.append(ours) -%}
    {%- endfor -%}
    {%- if 'unit_price' not in matched and 'line_amount' not in matched -%}
        {%- do missing.append('unit_price (or line_amount)') -%}
    {%- endif -%}
    {%- if missing -%}
        {{ stop("invoices: " ~ name ~ " has no column for " ~ missing | join(', ') ~ "." ~ hint) }}
    {%- endif -%}
    {{ return(matched) }}
{%- endmacro %}

{#- One of our columns out of a source. Where the source has none, customer and time make an invoice,
    a line is one piece, and anything else is null. -#}
{% macro source_column(ours, matched, source, as_text) -%}
    {%- set column = source.columns[matched.get(ours)] -%}
    {%- if ours == 'invoice_id' and ours not in matched -%}
        {%- set moment = source.columns[matched.invoiced_at] -%}
        {%- set customer = source.columns[matched.customer_id] -%}
        case
            when {{ source.reason }} is null then concat(cast({{ moment.sql }} as varchar), ' ', cast({{ customer.sql }} as varchar))
        end
    {%- elif ours == 'quantity' and ours not in matched -%}
        case when {{ source.reason }} is null then '1' end
    {%- elif ours not in matched -%}
        cast(null as varchar)
    {%- elif ours in ['invoice_id', 'product_id', 'customer_id'] -%}
        {{ id_text(column.sql, column.type) }}
    {%- elif ours == 'invoiced_at' and source.is_sheet -%}
        {{ sheet_moment(column.sql, setting('invoice_format').get('dates')) }}
    {%- elif ours in ['quantity', 'unit_price', 'line_amount'] and (source.is_sheet or as_text) -%}
        {{ number_text(column.sql, column.type, source.is_sheet) }}
    {%- elif ours in ['description', 'country'] or as_text -%}
        cast({{ column.sql }} as varchar)
    {%- else -%}
        {{ column.sql }}
    {%- endif -%}
{%- endmacro %}

{% macro read_invoices() -%}
    {%- if not execute -%}
        {{ return("select null") }}
    {%- endif -%}
    {%- set sources = [] -%}
    {%- set paths = invoice_paths() -%}
    {%- set shared = shared_folder(paths) -%}
    {%- for path in paths -%}
        {%- do sources.extend(open_invoices(path, path[shared:])) -%}
    {%- endfor -%}
    {#- Sources of one kind keep their types; mixed ones meet as text. -#}
    {%- set as_text = mixed(paths) -%}
    {%- for source in sources %}
    {%- set matched = match_invoice_columns(source.name, source.columns) %}
    select
        {{ sql_text(source.name) }} as source_file,
        {{ source.line }} as source_line,
        {{ source.span }} as line_span,
        {{ source.reason }} as malformed_reason,
        {{ source.text }} as malformed_text,
        {%- for ours in invoice_column_names() %}
        {{ source_column(ours, matched, source, as_text) }} as {{ ours }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ source.from }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- Length of the folder that all paths share: files are named by what follows it. -#}
{% macro shared_folder(paths) -%}
    {%- set lengths = [0] -%}
    {%- for place in range(paths[0] | length) if paths[0][place] == '/' -%}
        {%- set strays = [] -%}
        {%- for path in paths if not path.startswith(paths[0][:place + 1]) -%}
            {%- do strays.append(path) -%}
        {%- endfor -%}
        {%- if not strays -%}
            {%- do lengths.append(place + 1) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(lengths[-1]) }}
{%- endmacro %}

{#- Whether files of several kinds are read. -#}
{% macro mixed(paths) -%}
    {%- set kinds = [] -%}
    {%- for path in paths -%}
        {%- do kinds.append(kind_of(path)) -%}
    {%- endfor -%}
    {{ return(kinds | unique | list | length > 1) }}
{%- endmacro %}

{#- The number of invoice lines in all sources, without reading a value. -#}
{% macro count_invoice_lines() -%}
    {%- if not execute -%}
        {{ return('0') }}
    {%- endif -%}
    {{ return(count_lines('invoices', invoice_paths(), setting('invoice_format'))) }}
{%- endmacro %}
