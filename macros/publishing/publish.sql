{#-
    Runs at the end of every invocation. After a whole build whose every test passed, marts are written
    to published.duckdb beside the warehouse, which replaces the old file in one step. After the selector
    score, customer_segments and customer_predictions are written to scored.duckdb in the same way. Whatever else was run leaves these
    files as they are. Unit tests may be left out: they try the models on rows of their own, not on data.
-#}
{% macro publish_marts() -%}
    {%- set kept, fits, decisions = ref('int_fits_kept'), ref('int_fits'), ref('refit_decisions') -%}
    {{ sweep_leftovers() }}
    {%- if not execute or flags.WHICH != 'build' or invocation_args_dict.get('selector') == 'check' -%}
        {{ return('') }}
    {%- endif -%}
    {%- set is_score = invocation_args_dict.get('selector') == 'score' -%}
    {%- set obstacle = publishing_obstacle(is_score) -%}
    {%- if obstacle -%}
        {{ print("Not published: " ~ obstacle ~ ". Readers still see the last published marts, if there are any.") }}
        {{ return('') }}
    {%- endif -%}
    {%- set warehouse = run_query("select path from duckdb_databases() where database_name = current_database()").rows[0][0] -%}
    {%- set published = modules.re.sub('[^/\\\\]+$', 'scored.duckdb' if is_score else 'published.duckdb', warehouse) -%}
    {%- set scored = ['marts.customer_segments', 'marts.customer_predictions'] -%}
    {%- set relations = scored if is_score else published_relations() -%}
    {%- do keep_fits(fits, kept, decisions) if not is_score -%}
    {%- do run_query("checkpoint") -%}
    {#- The plugin of profiles.yml does it. -#}
    {%- do adapter.store_relation('files', none, [], published, 'duckdb', {'relations': relations}) -%}
    {{ print(
        'Scored: ' ~ published ~ ' (' ~ scored | join(', ') ~ ', open it read-only)' if is_score
        else 'Published: ' ~ published ~ ' (schema marts, open it read-only)'
    ) }}
{%- endmacro %}

{#- Why this run must not be published, or nothing; a score leaves nodes out by its nature. -#}
{% macro publishing_obstacle(is_score) -%}
    {%- if flags.EMPTY -%}
        {{ return("this was an --empty run") }}
    {%- endif -%}
    {#- Tests of models that are switched off stay in the graph, switched off too. -#}
    {%- set wanted = graph.nodes.values() | selectattr('config.enabled')
        | selectattr('resource_type', 'in', ['model', 'seed', 'test']) | map(attribute='unique_id') | list -%}
    {%- set good = [] -%}
    {%- for result in results if result.status in ['success', 'pass', 'warn'] -%}
        {%- do good.append(result.node.unique_id) -%}
    {%- endfor -%}
    {#- An exposure is no-op: nothing is done for it. -#}
    {%- for result in results if result.status not in ['success', 'pass', 'warn', 'no-op'] -%}
        {{ return(result.node.name ~ " did not succeed") }}
    {%- endfor -%}
    {%- for node in wanted if node not in good and not is_score -%}
        {{ return("this run left out " ~ node.split('.')[2]) }}
    {%- endfor -%}
    {{ return('') }}
{%- endmacro %}

{#- Marts, and what those that are views stand on. -#}
{% macro published_relations() -%}
    {%- set kept = [] -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.schema == 'marts' -%}
        {%- do kept.append(node.schema ~ '.' ~ node.name) -%}
        {%- if node.config.materialized == 'view' -%}
            {%- for parent in node.depends_on.nodes -%}
                {%- do kept.append(graph.nodes[parent].schema ~ '.' ~ graph.nodes[parent].name) -%}
            {%- endfor -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(kept | unique | list) }}
{%- endmacro %}

{#- Landed text is of no use once a run is over, nor is what a killed run left behind. Only one run at a time can
    have the warehouse open, so nobody else's files are here. -#}
{% macro sweep_leftovers() -%}
    {%- if execute -%}
        {%- do run_query("select sweep(" ~ sql_text(warehouse_folder()) ~ ")") -%}
    {%- endif -%}
{%- endmacro %}
