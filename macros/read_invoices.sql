{#-
    The edge of the project: everything that knows about files stands here and in
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

{% macro fold_name(name) -%}
    {{ return(modules.re.sub('[^a-z0-9]', '', name | lower)) }}
{%- endmacro %}

{% macro sql_text(value) -%}
    {{ return('null' if value is none else "'" ~ (value | string | replace("'", "''")) ~ "'") }}
{%- endmacro %}

{#- What a function of python_models/files answers; its error ends the run in one line. -#}
{% macro ask(call, about) -%}
    {%- set answered = fromjson(run_query("select " ~ call).rows[0][0]) -%}
    {%- if 'error' in answered -%}
        {{ stop("invoices: " ~ about ~ ": " ~ answered.error) }}
    {%- endif -%}
    {{ return(answered.answer) }}
{%- endmacro %}

{#- text, parquet, xlsx or relation; none for what is not read. -#}
{% macro kind_of(path) -%}
    {%- set name = modules.re.sub('\\.gz$', '', path | lower) -%}
    {%- if path.startswith('relation:') -%}
        {{ return('relation') }}
    {%- elif modules.re.search('\\.(csv|tsv|txt)$', name) -%}
        {{ return('text') }}
    {%- elif modules.re.search('\\.(parquet|pq)$', path | lower) -%}
        {{ return('parquet') }}
    {%- elif modules.re.search('\\.xlsx$', path | lower) -%}
        {{ return('xlsx') }}
    {%- endif -%}
    {{ return(none) }}
{%- endmacro %}

{#- Lines are read more than once. Parquet is cheap to read and numbers its own rows; parsing text is dear,
    and rows of a relation have no numbers until they are given some, once. -#}
{% macro landing_materialization() -%}
    {{ return('view' if kind_of(var('invoices') | string | trim) == 'parquet' else 'table') }}
{%- endmacro %}

{#- The paths that the var `invoices` stands for, in order. -#}
{% macro invoice_paths() -%}
    {%- set stated = var('invoices') | string | trim -%}
    {%- if not stated -%}
        {{ stop("var invoices is empty: give the path of your invoice lines, for example make build INVOICES=my_invoices.csv") }}
    {%- elif kind_of(stated) == 'relation' -%}
        {{ return([stated]) }}
    {%- endif -%}
    {%- set absolute = modules.re.match('([/~\\\\]|[A-Za-z]:|[a-z0-9]+://)', stated) is not none -%}
    {%- set path = stated if absolute else env_var('DBT_PROJECT_DIR', '.') ~ '/' ~ stated -%}
    {%- set found = run_query("select file from glob(" ~ sql_text(path) ~ ") order by file").columns[0].values() | list -%}
    {%- if not found -%}
        {%- set found = run_query("select file from glob(" ~ sql_text(path ~ '/*') ~ ") order by file").columns[0].values()
            | list -%}
        {%- if not found -%}
            {{ stop("invoices: there is no file " ~ path ~ ". Give a path, a folder or a glob: make build INVOICES=my_invoices.csv") }}
        {%- endif -%}
    {%- endif -%}
    {%- set readable = [] -%}
    {%- for file in found if kind_of(file) -%}
        {%- do readable.append(file) -%}
    {%- endfor -%}
    {%- if not readable -%}
        {{ stop("invoices: " ~ path ~ " is no file that can be read: it can be CSV, TSV, TXT (each perhaps .gz), Parquet or XLSX") }}
    {%- endif -%}
    {{ return(readable) }}
{%- endmacro %}

{#- Where text is landed: beside the warehouse. -#}
{% macro landing_folder() -%}
    {%- set warehouse = run_query("select path from duckdb_databases() where database_name = current_database()").rows[0][0] -%}
    {{ return(modules.re.sub('[^/\\\\]+$', 'landing', warehouse)) }}
{%- endmacro %}

{#-
    One source as {name, columns: {name: type}, from: SQL, line, span, reason, text: SQL expressions}.
    Several for an XLSX file: one for each sheet.
-#}
{% macro open_source(path, name) -%}
    {%- set plain = {'name': name, 'span': '1', 'reason': 'cast(null as varchar)', 'text': 'cast(null as varchar)'} -%}
    {%- set kind = kind_of(path) -%}
    {%- if kind == 'relation' -%}
        {%- set relation = path[9:] | trim -%}
        {%- if not modules.re.fullmatch('[A-Za-z_][\\w$]*(\\.[A-Za-z_][\\w$]*){0,2}', relation) -%}
            {{ stop("invoices: " ~ path ~ " must look like relation:schema.table") }}
        {%- endif -%}
        {%- set parts = relation.split('.') -%}
        {%- set there = run_query(
            "select count(*) from information_schema.tables where lower(table_name) = " ~ sql_text(parts[-1] | lower)
            ~ (" and lower(table_schema) = " ~ sql_text(parts[-2] | lower) if parts | length > 1 else "")
        ).rows[0][0] -%}
        {%- if not there -%}
            {{ stop("invoices: the warehouse has no relation " ~ relation) }}
        {%- endif -%}
        {{ return([dict(plain, **{'columns': described("from " ~ relation), 'from': relation, 'line': 'row_number() over ()'})]) }}
    {%- elif kind == 'parquet' -%}
        {%- set reader = "read_parquet(" ~ sql_text(path) ~ ", file_row_number = true)" -%}
        {%- set columns = described("from read_parquet(" ~ sql_text(path) ~ ")") -%}
        {{ return([dict(plain, **{'columns': columns, 'from': reader, 'line': 'file_row_number + 1'})]) }}
    {%- elif kind == 'xlsx' -%}
        {%- do run_query("load " ~ sql_text(ask("excel_extension()", name))) -%}
        {%- set sheets = [] -%}
        {%- for sheet in ask("sheets_of(" ~ sql_text(path) ~ ")", name) -%}
            {%- set reader = "read_xlsx(" ~ sql_text(path) ~ ", sheet = " ~ sql_text(sheet)
                ~ ", header = true, all_varchar = true, stop_at_empty = false)" -%}
            {%- do sheets.append(dict(plain, **{
                'name': name ~ ', sheet ' ~ sheet,
                'columns': described("from " ~ reader),
                'from': reader,
                'line': 'row_number() over () + 1',
                'has_serial_dates': true,
            })) -%}
        {%- endfor -%}
        {{ return(sheets) }}
    {%- endif -%}
    {%- set format = var('invoice_format') or {} -%}
    {%- set landed = ask(
        "land(" ~ sql_text(path) ~ ", " ~ sql_text(landing_folder()) ~ ", " ~ sql_text(format.get('encoding')) ~ ", "
        ~ sql_text(format.get('delimiter')) ~ ")",
        name
    ) -%}
    {%- set columns = {} -%}
    {%- for column in landed.columns -%}
        {%- if column in columns -%}
            {{ stop("invoices: " ~ name ~ " has the column " ~ column ~ " twice. It has: " ~ landed.columns | join(', ')) }}
        {%- endif -%}
        {%- do columns.update({column: 'VARCHAR'}) -%}
    {%- endfor -%}
    {{ return([{
        'name': name,
        'columns': columns,
        'from': csv_reader(landed.file, landed.delimiter, landed.columns),
        'line': 'cast(landed_source_line as bigint)',
        'span': 'cast(landed_line_span as integer)',
        'reason': 'landed_malformed_reason',
        'text': 'landed_malformed_text',
    }]) }}
{%- endmacro %}

{#- Name and type of each column of a query, in its order. -#}
{% macro described(query) -%}
    {%- set rows = run_query("describe " ~ query).rows -%}
    {%- set columns = {} -%}
    {%- for row in rows -%}
        {%- do columns.update({row[0]: row[1]}) -%}
    {%- endfor -%}
    {{ return(columns) }}
{%- endmacro %}

{#- A landed file with every column as text. Options are stated, not sniffed: the sniffer looks at the
    first lines only and takes 01/12/2010 for a date without asking. -#}
{% macro csv_reader(file, delimiter, columns) -%}
    read_csv(
        {{ sql_text(file) }}, auto_detect = false, header = false, delim = {{ sql_text(delimiter) }}, quote = '"', escape = '"',
        columns = {
            'landed_source_line': 'VARCHAR', 'landed_line_span': 'VARCHAR',
            'landed_malformed_reason': 'VARCHAR', 'landed_malformed_text': 'VARCHAR'
            {%- for column in columns %}, {{ sql_text(column) }}: 'VARCHAR'{% endfor %}
        }
    )
{%- endmacro %}

{#- {our name: the source's name}; stops where a needed column can't be found. -#}
{% macro match_invoice_columns(name, source_columns) -%}
    {%- set stated = var('invoice_columns') or {} -%}
    {%- set known = invoice_column_names() -%}
    {%- for ours in stated if ours not in known -%}
        {{ stop("var invoice_columns names " ~ ours ~ ", which is none of our columns: " ~ known | join(', ')) }}
    {%- endfor -%}
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
    {%- set columns = source.columns -%}
    {%- if ours == 'invoice_id' and ours not in matched -%}
        case
            when {{ source.reason }} is null
                then concat(cast({{ adapter.quote(matched.invoiced_at) }} as varchar), ' ', cast({{ adapter.quote(matched.customer_id) }} as varchar))
        end
    {%- elif ours == 'quantity' and ours not in matched -%}
        case when {{ source.reason }} is null then '1' end
    {%- elif ours not in matched -%}
        cast(null as varchar)
    {%- else -%}
        {%- set column = adapter.quote(matched[ours]) -%}
        {%- if ours in ['invoice_id', 'product_id', 'customer_id'] -%}
            {{ id_text(column, columns[matched[ours]]) }}
        {%- elif ours == 'invoiced_at' and source.has_serial_dates -%}
            {#- Spreadsheets count days since the end of 1899, with the time as a fraction. -#}
            case
                when try_cast({{ column }} as double) is null then {{ column }}
                else cast(
                    timestamp '1899-12-30' + to_seconds(cast(round(try_cast({{ column }} as double) * 86400) as bigint)) as varchar
                )
            end
        {%- elif as_text -%}
            cast({{ column }} as varchar)
        {%- else -%}
            {{ column }}
        {%- endif -%}
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
        {%- do sources.extend(open_source(path, path[shared:])) -%}
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
    {%- for place in range(paths[0] | length) if paths[0][place] in '/\\' -%}
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

{#- The number of lines of all sources without their headers, without reading a value. -#}
{% macro count_source_lines() -%}
    {%- if not execute -%}
        {{ return('0') }}
    {%- endif -%}
    {%- set counts = [] -%}
    {%- for path in invoice_paths() -%}
        {%- set kind = kind_of(path) -%}
        {%- if kind == 'text' -%}
            {%- do counts.append(ask("lines_of(" ~ sql_text(path) ~ ")", path) - 1) -%}
        {%- elif kind == 'parquet' -%}
            {%- do counts.append(run_query("select sum(num_rows) from parquet_file_metadata(" ~ sql_text(path) ~ ")").rows[0][0]) -%}
        {%- else -%}
            {%- for source in open_source(path, path) -%}
                {%- do counts.append(run_query("select count(*) from " ~ source.from).rows[0][0]) -%}
            {%- endfor -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(counts | sum | string) }}
{%- endmacro %}
