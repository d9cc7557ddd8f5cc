{#-
    The edge of the project: everything that knows about files stands here. read_invoices() is the
    invoice lines of the var `invoices` under our column names, as they stand in the file, with the
    file and the number of each line. Identifiers are text; nothing else is converted and nothing left out.
-#}

{#- Our columns and the names, folded by fold_name(), under which they are recognised. -#}
{% macro invoice_column_names() -%}
    {{ return({
        'invoice_id': ['invoiceid', 'invoiceno', 'invoice', 'invoicenumber', 'orderid'],
        'product_id': ['productid', 'stockcode', 'sku', 'itemid'],
        'description': ['description', 'productdescription', 'productname'],
        'quantity': ['quantity', 'qty'],
        'invoiced_at': ['invoicedat', 'invoicedate', 'orderdate', 'timestamp'],
        'unit_price': ['unitprice', 'price'],
        'customer_id': ['customerid', 'customer'],
        'country': ['country'],
    }) }}
{%- endmacro %}

{% macro fold_name(name) -%}
    {{ return(modules.re.sub('[^a-z0-9]', '', name | lower)) }}
{%- endmacro %}

{% macro invoices_path() -%}
    {%- set path = var('invoices') | string | trim -%}
    {%- if not path -%}
        {{ stop("var invoices is empty: give the path of your invoice lines, for example make build INVOICES=my_invoices.csv") }}
    {%- endif -%}
    {%- if modules.re.match('([/~\\\\]|[A-Za-z]:|[a-z0-9]+://)', path) -%}
        {{ return(path) }}
    {%- endif -%}
    {{ return(env_var('DBT_PROJECT_DIR', '.') ~ '/' ~ path) }}
{%- endmacro %}

{% macro is_parquet(path) -%}
    {{ return(modules.re.search('\\.(parquet|pq)$', path | lower) is not none) }}
{%- endmacro %}

{#- Parsing text is dear and its lines are read more than once: text is landed, Parquet is not. -#}
{% macro landing_materialization() -%}
    {{ return('view' if is_parquet(var('invoices') | string | trim) else 'table') }}
{%- endmacro %}

{% macro sql_text(value) -%}
    {{ return("'" ~ (value | string | replace("'", "''")) ~ "'") }}
{%- endmacro %}

{#- A CSV file with every column as text. The options are stated, not sniffed: the sniffer looks at
    the first lines only and takes 01/12/2010 for a date without asking. -#}
{% macro csv_reader(file, columns) -%}
    read_csv(
        {{ sql_text(file) }}, auto_detect = false, header = true, delim = ',', quote = '"', escape = '"',
        columns = { {%- for column in columns %}{{ sql_text(column) }}: 'VARCHAR'{{ ', ' if not loop.last }}{% endfor -%} }
    )
{%- endmacro %}

{#- Name and type of each column of one file, in the file's order. -#}
{% macro invoice_file_columns(file) -%}
    {%- if is_parquet(file) -%}
        {%- set described = run_query("describe select * from read_parquet(" ~ sql_text(file) ~ ")") -%}
        {{ return(dict_of(described.columns[0].values(), described.columns[1].values())) }}
    {%- endif -%}
    {%- set header = run_query(
        "select header from read_csv(" ~ sql_text(file)
        ~ ", auto_detect = false, header = false, delim = '\\x01', quote = '', escape = '', columns = {'header': 'VARCHAR'}) limit 1"
    ) -%}
    {%- set columns = {} -%}
    {%- if header.rows -%}
        {%- for name in header.rows[0][0].lstrip('\ufeff').split(',') -%}
            {%- do columns.update({name.strip().strip('"'): 'VARCHAR'}) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(columns) }}
{%- endmacro %}

{% macro dict_of(keys, values) -%}
    {%- set pairs = {} -%}
    {%- for key in keys -%}
        {%- do pairs.update({key: values[loop.index0]}) -%}
    {%- endfor -%}
    {{ return(pairs) }}
{%- endmacro %}

{#- {our name: the file's name} for one file; stops where a column can't be found. -#}
{% macro match_invoice_columns(file, file_columns) -%}
    {%- set stated = var('invoice_columns') or {} -%}
    {%- set known = invoice_column_names() -%}
    {%- for ours in stated if ours not in known -%}
        {{ stop("var invoice_columns names " ~ ours ~ ", which is none of our columns: " ~ known | join(', ')) }}
    {%- endfor -%}
    {%- set matched = {} -%}
    {%- set missing = [] -%}
    {%- for ours, names in known.items() -%}
        {%- set found = [] -%}
        {%- for theirs in file_columns -%}
            {%- if theirs == stated.get(ours) or (ours not in stated and fold_name(theirs) in names) -%}
                {%- do found.append(theirs) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- if found | length == 1 -%}
            {%- do matched.update({ours: found[0]}) -%}
        {%- elif found | length > 1 -%}
            {{ stop("invoices: " ~ file ~ " has several columns that could be " ~ ours ~ " (" ~ found | join(', ')
                ~ "). Say which: --vars '{invoice_columns: {" ~ ours ~ ": " ~ found[0] ~ "}}'") }}
        {%- else -%}
            {%- do missing.append(ours) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if missing -%}
        {{ stop("invoices: " ~ file ~ " has no column for " ~ missing | join(', ') ~ ". It has: " ~ file_columns | join(', ')
            ~ ". Say which is which: --vars '{invoice_columns: {" ~ missing[0] ~ ": your column}}'") }}
    {%- endif -%}
    {{ return(matched) }}
{%- endmacro %}

{% macro read_invoices() -%}
    {%- if not execute -%}
        {{ return("select null") }}
    {%- endif -%}
    {%- set path = invoices_path() -%}
    {%- set files = run_query("select file from glob(" ~ sql_text(path) ~ ") order by file").columns[0].values() -%}
    {%- if not files -%}
        {{ stop("invoices: there is no file " ~ path ~ ". Give a path or glob: make build INVOICES=my_invoices.csv") }}
    {%- endif -%}
    {%- for file in files %}
    {%- set columns = invoice_file_columns(file) -%}
    {%- set matched = match_invoice_columns(file, columns) %}
    select
        {{ sql_text(modules.re.split('[/\\\\]', file)[-1]) }} as source_file,
        {% if is_parquet(file) -%}
        file_row_number + 1
        {%- else -%}
        row_number() over () + 1
        {%- endif %} as source_line,
        {%- for ours, theirs in matched.items() %}
        {{ id_text(adapter.quote(theirs), columns[theirs]) if ours.endswith('_id') else adapter.quote(theirs) }} as {{ ours }}
        {{- ',' if not loop.last }}
        {%- endfor %}
    from {{ "read_parquet(" ~ sql_text(file) ~ ", file_row_number = true)" if is_parquet(file) else csv_reader(file, columns) }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
