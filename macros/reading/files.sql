{#- What a function of python_models/files answers; its error ends the run in one line. -#}
{% macro ask(subject, call, about) -%}
    {%- set answered = fromjson(run_query("select " ~ call).rows[0][0]) -%}
    {%- if 'error' in answered -%}
        {{ stop(subject ~ ": " ~ about ~ ": " ~ answered.error) }}
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

{#- A path as a pattern that fits this path alone. -#}
{% macro as_pattern(path) -%}
    {{ return(modules.re.sub('([*?\\[])', '[\\1]', path)) }}
{%- endmacro %}

{#- The path of one file that is there, for a reader that would take [ ] * and ? for a pattern. -#}
{% macro exact_path(path) -%}
    {{ return(sql_text(as_pattern(path))) }}
{%- endmacro %}

{#- The paths that a setting stands for, in order: a path, a folder or a glob, or one relation. -#}
{% macro paths_of(subject, stated, example) -%}
    {%- if kind_of(stated) == 'relation' -%}
        {{ return([stated]) }}
    {%- endif -%}
    {%- set absolute = modules.re.match('([/~\\\\]|[A-Za-z]:|[a-z0-9]+://)', stated) is not none -%}
    {%- set path = stated if absolute else env_var('DBT_PROJECT_DIR', '.') ~ '/' ~ stated -%}
    {#- A file or folder of this very name first: its [ ] * and ? are part of the name. -#}
    {%- set exact = as_pattern(path) -%}
    {%- set found = namespace(files=[]) -%}
    {%- for pattern in [exact, exact ~ '/*', path, path ~ '/*'] if not found.files -%}
        {%- set found.files = run_query("select file from glob(" ~ sql_text(pattern) ~ ") order by file").columns[0].values() | list -%}
    {%- endfor -%}
    {%- if not found.files -%}
        {{ stop(subject ~ ": there is no file " ~ path ~ ". Give a path, a folder or a glob: " ~ example) }}
    {%- endif -%}
    {%- set readable = [] -%}
    {%- for file in found.files if kind_of(file) -%}
        {%- do readable.append(file) -%}
    {%- endfor -%}
    {%- if not readable -%}
        {{ stop(subject ~ ": " ~ path ~ " is no file that can be read: it can be CSV, TSV, TXT (each perhaps .gz), Parquet or XLSX") }}
    {%- endif -%}
    {{ return(readable) }}
{%- endmacro %}

{#- The folder of the warehouse, with the slash behind it. -#}
{% macro warehouse_folder() -%}
    {%- set warehouse = run_query("select path from duckdb_databases() where database_name = current_database()").rows[0][0] -%}
    {{ return(modules.re.sub('[^/\\\\]+$', '', warehouse)) }}
{%- endmacro %}

{#- Where text is landed: beside the warehouse. -#}
{% macro landing_folder() -%}
    {{ return(warehouse_folder() ~ 'landing') }}
{%- endmacro %}

{#-
    One source as {name, columns: {name: {type, sql}}, from: SQL, line, span, reason, text: SQL expressions,
    is_sheet}. Several for an XLSX file: one for each sheet. format is {encoding, delimiter}, for what is not to
    be recognised.
-#}
{% macro open_source(subject, path, name, format) -%}
    {%- set plain = {'name': name, 'span': '1', 'reason': 'cast(null as varchar)', 'text': 'cast(null as varchar)'} -%}
    {%- set kind = kind_of(path) -%}
    {%- if kind == 'relation' -%}
        {%- set relation = path[9:] | trim -%}
        {%- if not modules.re.fullmatch('[A-Za-z_][\\w$]*(\\.[A-Za-z_][\\w$]*){0,2}', relation) -%}
            {{ stop(subject ~ ": " ~ path ~ " must look like relation:schema.table") }}
        {%- endif -%}
        {%- set parts = relation.split('.') -%}
        {%- set there = run_query(
            "select count(*) from information_schema.tables where lower(table_name) = " ~ sql_text(parts[-1] | lower)
            ~ (" and lower(table_schema) = " ~ sql_text(parts[-2] | lower) if parts | length > 1 else "")
        ).rows[0][0] -%}
        {%- if not there -%}
            {{ stop(subject ~ ": the warehouse has no relation " ~ relation) }}
        {%- endif -%}
        {{ return([dict(plain, **{'columns': described("from " ~ relation), 'from': relation, 'line': 'row_number() over ()'})]) }}
    {%- elif kind == 'parquet' -%}
        {%- set reader = "read_parquet(" ~ exact_path(path) ~ ", file_row_number = true)" -%}
        {%- set columns = described("from read_parquet(" ~ exact_path(path) ~ ")") -%}
        {%- if 'file_row_number' in columns | map('lower') -%}
            {{ stop(subject ~ ": " ~ name ~ " has a column file_row_number, a name that the reader needs for itself: rename it") }}
        {%- endif -%}
        {{ return([dict(plain, **{'columns': columns, 'from': reader, 'line': 'file_row_number + 1'})]) }}
    {%- elif kind == 'xlsx' -%}
        {%- do run_query("load " ~ sql_text(ask(subject, "excel_extension()", name))) -%}
        {%- set sheets = [] -%}
        {%- for sheet in ask(subject, "sheets_of(" ~ sql_text(path) ~ ")", name) -%}
            {%- set reader = "read_xlsx(" ~ exact_path(path) ~ ", sheet = " ~ sql_text(sheet)
                ~ ", header = true, all_varchar = true, stop_at_empty = false)" -%}
            {%- do sheets.append(dict(plain, **{
                'name': name ~ ', sheet ' ~ sheet,
                'columns': described("from " ~ reader),
                'from': reader,
                'line': 'row_number() over () + 1',
                'is_sheet': true,
            })) -%}
        {%- endfor -%}
        {{ return(sheets) }}
    {%- endif -%}
    {%- set landed = ask(
        subject,
        "land(" ~ sql_text(path) ~ ", " ~ sql_text(landing_folder()) ~ ", " ~ sql_text(format.get('encoding')) ~ ", "
        ~ sql_text(format.get('delimiter')) ~ ")",
        name
    ) -%}
    {%- set columns = {} -%}
    {%- for column in landed.columns -%}
        {%- if column in columns and column -%}
            {{ stop(subject ~ ": " ~ name ~ " has the column " ~ column ~ " twice. It has: " ~ landed.columns | join(', ')) }}
        {%- endif -%}
        {%- do columns.update({column: {'type': 'VARCHAR', 'sql': 'landed_' ~ loop.index}}) -%}
    {%- endfor -%}
    {{ return([{
        'name': name,
        'columns': columns,
        'from': csv_reader(landed.file, landed.delimiter, landed.columns | length),
        'line': 'cast(landed_source_line as bigint)',
        'span': 'cast(landed_line_span as integer)',
        'reason': 'landed_malformed_reason',
        'text': 'landed_malformed_text',
    }]) }}
{%- endmacro %}

{#- Each column of a query, in its order: {name: {type, sql}}. -#}
{% macro described(query) -%}
    {%- set rows = run_query("describe " ~ query).rows -%}
    {%- set columns = {} -%}
    {%- for row in rows -%}
        {%- do columns.update({row[0]: {'type': row[1], 'sql': quoted(row[0])}}) -%}
    {%- endfor -%}
    {{ return(columns) }}
{%- endmacro %}

{#- A landed file with every column as text, named landed_1 and so on. Options are stated, not sniffed: the
    sniffer looks at the first lines only and takes 01/12/2010 for a date without asking. -#}
{% macro csv_reader(file, delimiter, columns) -%}
    read_csv(
        {{ exact_path(file) }}, auto_detect = false, header = false, delim = {{ sql_text(delimiter) }}, quote = '"', escape = '"',
        columns = {
            'landed_source_line': 'VARCHAR', 'landed_line_span': 'VARCHAR',
            'landed_malformed_reason': 'VARCHAR', 'landed_malformed_text': 'VARCHAR'
            {%- for number in range(columns) %}, 'landed_{{ number + 1 }}': 'VARCHAR'{% endfor %}
        }
    )
{%- endmacro %}

{#- The number of lines of sources without their headers, without reading a value. -#}
{% macro count_lines(subject, paths, format) -%}
    {%- set counts = [] -%}
    {%- for path in paths -%}
        {%- set kind = kind_of(path) -%}
        {%- if kind == 'text' -%}
            {%- do counts.append(ask(subject, "lines_of(" ~ sql_text(path) ~ ")", path) - 1) -%}
        {%- elif kind == 'parquet' -%}
            {%- do counts.append(run_query("select sum(num_rows) from parquet_file_metadata(" ~ exact_path(path) ~ ")").rows[0][0]) -%}
        {%- else -%}
            {%- for source in open_source(subject, path, path, format) -%}
                {%- do counts.append(run_query("select count(*) from " ~ source.from).rows[0][0]) -%}
            {%- endfor -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(counts | sum | string) }}
{%- endmacro %}
