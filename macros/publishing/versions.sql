{#-
    Fits outlive the build that made them: they are kept in the schema kept of the warehouse, which no
    model replaces, and only once every test of the build has passed. What is kept is text, so that a
    later version of the project can add to it.
-#}
{% macro make_room_for_versions() -%}
    {%- if execute -%}
        {%- set tables = {
            'model_versions': [
                'version_number INTEGER', 'source_key VARCHAR', 'settings_key VARCHAR', 'playbook_key VARCHAR',
                'segmentation VARCHAR', 'model_version VARCHAR', 'as_of_at TIMESTAMP', 'fingerprint VARCHAR', 'fit VARCHAR',
            ],
            'refit_decisions': [
                'source_key VARCHAR', 'settings_key VARCHAR', 'playbook_key VARCHAR', 'segmentation VARCHAR',
                'as_of_date DATE', 'decision VARCHAR',
            ],
        } -%}
        {%- do run_query("create schema if not exists kept") -%}
        {%- for table, columns in tables.items() -%}
            {%- do run_query("create table if not exists kept." ~ table ~ " (" ~ columns | join(', ') ~ ")") -%}
            {%- set found = run_query(
                "select column_name || ' ' || data_type from duckdb_columns()"
                ~ " where database_name = current_database() and schema_name = 'kept' and table_name = " ~ sql_text(table)
            ).columns[0].values() | list -%}
            {%- for column in columns if column not in found -%}
                {{ stop_at_kept("kept." ~ table ~ " has no column " ~ column) }}
            {%- endfor -%}
        {%- endfor -%}
        {%- for row in run_query(
            "select 'kept.model_versions', segmentation from kept.model_versions where not coalesce(json_valid(fit), false)"
            ~ " union all select 'kept.refit_decisions', segmentation from kept.refit_decisions where not coalesce("
            ~ "case when json_valid(decision) then json_extract_string(decision, '$.decision') in ('keep', 'refit') end, false)"
            ~ " order by all limit 1"
        ).rows -%}
            {{ stop_at_kept(row[0] ~ " has a row of " ~ row[1] ~ " that is damaged") }}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}

{#- What is kept can't be read: by an older version of the project, or because somebody wrote to it. -#}
{% macro stop_at_kept(problem) -%}
    {{ stop("kept fits can't be read: " ~ problem ~ ". To forget them, so that the next build fits anew:"
        ~ " .venv/bin/dbt run-operation forget_versions") }}
{%- endmacro %}

{#- Forget all fits and decisions, of all sources. -#}
{% macro forget_versions() -%}
    {%- do run_query("drop schema if exists kept cascade") -%}
    {{ print("Forgotten: all kept fits and decisions. The next build fits anew.") }}
{%- endmacro %}

{#- What belongs together: a fit holds for one source, read in one way. -#}
{% macro source_key(population) -%}
    {%- set stated = setting('source_name') -%}
    {%- if population == 'campaign_customers' -%}
        {%- set read = [stated or campaign_setting()] -%}
    {%- else -%}
        {%- set path = setting('invoices') -%}
        {%- set folder = env_var('DBT_PROJECT_DIR', '.') ~ '/' -%}
        {%- set read = [
            stated or (path[folder | length:] if path.startswith(folder) else path),
            setting('invoice_columns'), setting('invoice_format'), setting('drop_exact_duplicates'),
            setting('cancellation_prefix'), setting('longest_pause_days'),
        ] -%}
    {%- endif -%}
    {{ return(local_md5(tojson(read, sort_keys=true))[:12]) }}
{%- endmacro %}

{#- What was asked for: the declaration, and what it is compared with. -#}
{% macro settings_key(declaration) -%}
    {%- set asked = [declaration, declaration.features.items() | list, setting('compared_algorithms'), setting('stability_refits')] -%}
    {{ return(local_md5(tojson(asked, sort_keys=true))[:12]) }}
{%- endmacro %}

{#- Customers of one shop must not be assigned by the centres of another. A whole build can't come here without
    a fit of its own; a part of one can. -#}
{% macro stop_without_fit() -%}
    {%- if execute and not flags.EMPTY -%}
        {%- set known = [] -%}
        {%- for declaration in segmentations() -%}
            {%- do known.append(declaration.segmentation ~ ' ' ~ source_key(declaration.population) ~ ' ' ~ settings_key(declaration)) -%}
        {%- endfor -%}
        {%- set fits = adapter.get_relation(target.database, 'intermediate', 'int_segmentations_fitted') -%}
        {%- set fitted = run_query(
            "select segmentation, source_key, settings_key from " ~ fits ~ " where is_selected order by segmentation"
        ).rows if fits else [] -%}
        {%- for row in fitted if row | join(' ') not in known -%}
            {{ stop("var segmentations." ~ row[0] ~ ": the last fit is of another source or other settings; run a whole build once") }}
        {%- endfor -%}
        {%- if not fits -%}
            {{ stop("var segmentations: nothing is fitted yet; run a whole build once") }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- Keep the fits of this build, and what was decided on each: all of it or, if the process dies, nothing. dbt
    commits each query of a hook by itself, so the transaction is stated. -#}
{% macro keep_versions() -%}
    {%- set same_fit -%}
        kept.source_key = fitted.source_key
        and kept.settings_key = fitted.settings_key
        and kept.playbook_key = fitted.playbook_key
        and kept.segmentation = fitted.segmentation
    {%- endset -%}
    {%- do run_query("begin transaction") -%}
    {%- do run_query(
        "insert into kept.model_versions"
        ~ " select (select coalesce(max(version_number), 0) from kept.model_versions) + row_number() over (order by segmentation),"
        ~ " source_key, settings_key, playbook_key, segmentation, model_version, fitted_as_of_at, fingerprint, fit"
        ~ " from intermediate.int_segmentations_fitted as fitted where is_selected and is_new and not exists ("
        ~ " select 1 from kept.model_versions as kept where " ~ same_fit
        ~ " and kept.model_version = fitted.model_version and kept.fingerprint = fitted.fingerprint)"
    ) -%}
    {%- set decided -%}
        from marts.refit_decisions as decisions
        inner join intermediate.int_segmentations_fitted as fitted
            on
                decisions.segmentation = fitted.segmentation
                and fitted.is_selected
                and decisions.as_of_date = cast(fitted.as_of_at - interval '1' microsecond as date)
    {%- endset -%}
    {%- do run_query(
        "delete from kept.refit_decisions as kept where exists (select 1 " ~ decided ~ " where " ~ same_fit
        ~ " and kept.as_of_date = decisions.as_of_date)"
    ) -%}
    {%- do run_query(
        "insert into kept.refit_decisions select fitted.source_key, fitted.settings_key, fitted.playbook_key,"
        ~ " decisions.segmentation, decisions.as_of_date, to_json(decisions) " ~ decided
    ) -%}
    {%- do run_query("commit") -%}
{%- endmacro %}
