{#- Add what was decided on fits, and the fits that were made, to int_fits_kept: one statement, so that all of it is
    kept or, if the process dies, nothing. What an earlier build has kept in the same words is not kept again. -#}
{% macro keep_fits(fits, kept, decisions) -%}
    {%- do run_query(
        "insert into " ~ kept ~ " by name"
        ~ " select"
        ~ " (select coalesce(max(kept_number), 0) from " ~ kept ~ ") + row_number() over (order by fits.segmentation) as kept_number,"
        ~ " fits.*, decisions.customers, decisions.moved_by_themselves"
        ~ " from " ~ fits ~ " as fits inner join " ~ decisions ~ " as decisions"
        ~ " on fits.segmentation = decisions.segmentation"
        ~ " and decisions.as_of_date = cast(fits.as_of_at - interval '1' microsecond as date)"
        ~ " where fits.decision in ('keep', 'refit') and not exists ("
        ~ " select 1 from " ~ kept ~ " as kept where kept.segmentation = fits.segmentation and kept.source_key = fits.source_key"
        ~ " and kept.settings_key = fits.settings_key and kept.playbook_key = fits.playbook_key and kept.as_of_at = fits.as_of_at"
        ~ " and kept.decision = fits.decision and kept.reason = fits.reason and kept.model_version = fits.model_version"
        ~ " and kept.fingerprint = fits.fingerprint)"
    ) -%}
{%- endmacro %}

{#- Forget all kept fits and decisions, of all sources. -#}
{% macro forget_fits() -%}
    {%- set kept = ref('int_fits_kept') -%}
    {%- do run_query("drop table if exists " ~ kept) -%}
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
        ] -%}
        {%- for name in reading_settings() if name != 'invoices' -%}
            {%- do read.append(setting(name)) -%}
        {%- endfor -%}
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
    {%- set fits = ref('int_fits') -%}
    {%- if execute and not flags.EMPTY -%}
        {%- set known = [] -%}
        {%- for declaration in segmentations() -%}
            {%- do known.append(declaration.segmentation ~ ' ' ~ source_key(declaration.population) ~ ' ' ~ settings_key(declaration)) -%}
        {%- endfor -%}
        {%- set is_fitted = load_relation(fits) is not none -%}
        {%- set fitted = run_query(
            "select segmentation, source_key, settings_key from " ~ fits ~ " where centers is not null order by segmentation"
        ).rows if is_fitted else [] -%}
        {%- for row in fitted if row | join(' ') not in known -%}
            {{ stop("var segmentations." ~ row[0] ~ ": the last fit is of another source or other settings; run a whole build once") }}
        {%- endfor -%}
        {%- if not is_fitted -%}
            {{ stop("var segmentations: nothing is fitted yet; run a whole build once") }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
