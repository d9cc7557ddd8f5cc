{#- The var segmentations, checked, with every setting present: a list of {segmentation, playbook,
    population, features, scaler, outlier_policy, winsorised, separated, algorithm, k, k_min, k_max,
    n_init, seed}. Those of customers that are not given, such as a campaign's where there is none, are left out. -#}
{% macro segmentations() -%}
    {%- set defaults = {
        'playbook': none,
        'features': none,
        'population': 'invoice_customers',
        'scaler': 'standard',
        'outliers': 'keep',
        'algorithm': 'kmeans',
        'k': 'auto',
        'k_min': 3,
        'k_max': 8,
        'n_init': 10,
        'seed': 42,
    } -%}
    {%- set declared = var('segmentations') -%}
    {%- if declared is not mapping or not declared -%}
        {{ stop("var segmentations (in dbt_project.yml or VARS) must map names to declarations, such as " ~
            "{mine: {playbook: lifecycle, features: {recency_days: log1p, frequency: log1p}}}") }}
    {%- endif -%}
    {%- set populations = populations() -%}
    {%- set checked = [] -%}
    {%- for name, declaration in declared.items() -%}
        {%- set place = 'segmentations.' ~ name -%}
        {%- if not modules.re.fullmatch('[a-z][a-z0-9_]*', name | string) -%}
            {{ stop_at(place, "a name has small letters, digits and _") }}
        {%- elif declaration is not mapping -%}
            {{ stop_at(place, "must be a declaration with playbook and features at least") }}
        {%- endif -%}
        {%- for key in declaration -%}
            {%- do check_word(place, key, defaults | list) -%}
        {%- endfor -%}
        {%- for key, value in defaults.items() if value is none and key not in declaration -%}
            {{ stop_at(place, key ~ " is missing") }}
        {%- endfor -%}
        {%- set full = dict(defaults, **declaration) -%}
        {%- if full['playbook'] is not string -%}
            {{ stop_at(place ~ '.playbook', "must be the name of a playbook in seeds/segment_playbook.csv, got " ~ full['playbook']) }}
        {%- endif -%}
        {%- do check_word(place ~ '.population', full['population'], populations | list) -%}
        {%- do check_word(place ~ '.scaler', full['scaler'], ['standard', 'min_max', 'robust']) -%}
        {%- do check_word(place ~ '.algorithm', full['algorithm'], algorithms()) -%}
        {%- do check_features(place, full, populations[full['population']]) -%}
        {%- do full.update(checked_outliers(place, full)) -%}
        {%- do check_whole(place ~ '.n_init', full['n_init'], 1) -%}
        {%- do check_whole(place ~ '.seed', full['seed'], 0) -%}
        {%- do check_whole(place ~ '.k_min', full['k_min'], 2) -%}
        {%- do check_whole(place ~ '.k_max', full['k_max'], 2) -%}
        {%- if full['k_max'] > 30 or full['k_min'] > full['k_max'] -%}
            {{ stop_at(place, "k_min and k_max must hold 2 <= k_min <= k_max <= 30") }}
        {%- endif -%}
        {%- if full['k'] != 'auto' -%}
            {%- if full['k'] is not integer -%}
                {{ stop_at(place ~ '.k', "must be a whole number or auto, got " ~ full['k']) }}
            {%- elif full['algorithm'] not in algorithms()[:3] -%}
                {{ stop_at(place ~ '.k', full['algorithm'] ~ " finds its own number of clusters: k must be auto") }}
            {%- elif not full['k_min'] <= full['k'] <= full['k_max'] -%}
                {{ stop_at(place ~ '.k', "is " ~ full['k'] ~ ", outside k_min to k_max, " ~ full['k_min'] ~ " to " ~ full['k_max']) }}
            {%- endif -%}
        {%- endif -%}
        {%- if populations[full['population']].is_given -%}
            {%- do checked.append(dict(full, segmentation=name)) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- do check_primary(declared | list, checked) -%}
    {{ return(checked) }}
{%- endmacro %}

{#- The mart customers carries a segment of each of its customers, so one segmentation must be theirs. -#}
{% macro check_primary(names, declarations) -%}
    {%- set primary = setting('primary_segmentation') -%}
    {%- set possible = declarations | selectattr('population', 'equalto', 'invoice_customers') | map(attribute='segmentation') | list -%}
    {%- if not possible -%}
        {{ stop_at('segmentations', "at least one must be of the population invoice_customers: the mart customers carries its segments") }}
    {%- endif -%}
    {%- do check_word('primary_segmentation', primary, names) -%}
    {%- if primary not in possible -%}
        {{ stop_at('primary_segmentation', primary ~ " is not of the population invoice_customers, whose segment the mart customers"
            ~ " carries; there are " ~ possible | join(', ')) }}
    {%- endif -%}
{%- endmacro %}

{#- Those that are told a number of clusters come first. -#}
{% macro algorithms() -%}
    {{ return(['kmeans', 'gaussian_mixture', 'ward', 'dbscan', 'hdbscan']) }}
{%- endmacro %}

{% macro check_features(place, declaration, population) -%}
    {%- set features = declaration['features'] -%}
    {%- if features is not mapping or not features -%}
        {{ stop_at(place ~ '.features', "must map columns to transforms, such as {recency_days: log1p}") }}
    {%- endif -%}
    {%- for feature, transform in features.items() -%}
        {%- if feature in population.profiled and feature not in population.features -%}
            {{ stop_at(place ~ '.features.' ~ feature, feature ~ " can be null, so it places nobody; there are " ~ population.features | join(', ')) }}
        {%- endif -%}
        {%- do check_word(place ~ '.features', feature, population.features) -%}
        {%- do check_word(place ~ '.features.' ~ feature, transform, ['none', 'log1p', 'sqrt', 'rank']) -%}
        {%- if transform in ['log1p', 'sqrt'] and feature_told(declaration['population'], feature).can_be_negative -%}
            {{ stop_at(place ~ '.features.' ~ feature, "can be negative, so it has no " ~ transform ~ "; there are none, rank") }}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}

{#- The setting outliers as {outlier_policy, winsorised, separated}. -#}
{% macro checked_outliers(place, declaration) -%}
    {%- set key = place ~ '.outliers' -%}
    {%- set outliers = declaration['outliers'] -%}
    {%- set checked = {'outlier_policy': 'keep', 'winsorised': none, 'separated': []} -%}
    {%- if outliers is mapping and outliers | length == 1 -%}
        {%- set policy = outliers | first -%}
        {%- do check_word(key, policy, ['winsorise', 'separate']) -%}
        {%- set value = outliers[policy] -%}
        {%- do checked.update({'outlier_policy': policy}) -%}
        {%- if policy == 'winsorise' -%}
            {%- if value is string or value is not sequence or value | length != 2
                or value[0] is not number or value[1] is not number or not 0 <= value[0] < value[1] <= 1 -%}
                {{ stop_at(key ~ '.winsorise', "must be two shares of customers, such as [0.01, 0.99], got " ~ value) }}
            {%- endif -%}
            {%- do checked.update({'winsorised': value}) -%}
        {%- else -%}
            {%- if value is string or value is not sequence or not 1 <= value | length <= 3 -%}
                {{ stop_at(key ~ '.separate', "must be a list of one to three of the features: " ~ declaration['features'] | join(', ')) }}
            {%- endif -%}
            {%- for feature in value -%}
                {%- do check_word(key ~ '.separate', feature, declaration['features'] | list) -%}
            {%- endfor -%}
            {%- do checked.update({'separated': value}) -%}
        {%- endif -%}
    {%- elif outliers != 'keep' -%}
        {%- if outliers is string -%}
            {%- do check_word(key, outliers, ['keep']) -%}
        {%- endif -%}
        {{ stop_at(key, "must be keep, {winsorise: [0.01, 0.99]} or {separate: [monetary, frequency]}, got " ~ outliers) }}
    {%- endif -%}
    {{ return(checked) }}
{%- endmacro %}

{#- Runs before everything else: two segments of one name would pass every test and be drawn on top of each other, and a
    claim about a feature that there is not would never be true. -#}
{% macro check_playbook() -%}
    {%- if execute -%}
        {%- set folder = env_var('DBT_PROJECT_DIR', '.') ~ '/' -%}
        {%- set playbook = 'seeds/segment_playbook.csv' -%}
        {%- set names = features().values() | map('list') | sum(start=[]) | join(' ') -%}
        {%- for file, check, others in [
            (playbook, 'playbook_fault', []),
            ('seeds/segment_claims.csv', 'claims_fault', [folder ~ playbook]),
            ('seeds/segment_actions.csv', 'actions_fault', [folder ~ playbook]),
        ] -%}
            {%- set given = [] -%}
            {%- for text in [folder ~ file] + others + [names] -%}
                {%- do given.append(sql_text(text)) -%}
            {%- endfor -%}
            {%- set fault = run_query("select " ~ check ~ "(" ~ given | join(', ') ~ ")").rows[0][0] -%}
            {{ stop(file ~ ": " ~ fault) if fault }}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}
