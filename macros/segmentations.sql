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
        {%- do check_word(place ~ '.population', full['population'], populations() | list) -%}
        {%- do check_word(place ~ '.scaler', full['scaler'], ['standard', 'min_max', 'robust']) -%}
        {%- do check_word(place ~ '.algorithm', full['algorithm'], algorithms()) -%}
        {%- do check_features(place, full) -%}
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
        {%- if populations()[full['population']].is_given -%}
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

{#- Whose customers can be parted. Each has a model with a row for each customer_id (under a condition, where it has
    rows of other moments), and marts where people find their features; the features that a declaration may name,
    which are never null; all that are profiled; which column is their revenue; and whether they are there at all. -#}
{% macro populations() -%}
    {{ return({
        'invoice_customers': {
            'model': 'int_customers_as_of',
            'condition': 'is_current',
            'marts': {'customers': lifetime_features(), 'customer_windows': windowed_features() | list},
            'features': spine_features(),
            'profiled': spine_features(),
            'revenue': 'monetary',
            'as_of': 'as_of_at',
            'is_given': true,
        },
        'campaign_customers': {
            'model': 'int_campaign_customers',
            'condition': 'true',
            'marts': {'campaign_customers': campaign_features() + campaign_shares()},
            'features': campaign_features(),
            'profiled': campaign_features() + campaign_shares(),
            'revenue': 'total_spend',
            'as_of': "coalesce(cast(as_of_date + interval '1' day as timestamp), " ~ current_as_of() ~ ")",
            'is_given': has_campaign(),
        },
    }) }}
{%- endmacro %}

{#- Of these, those that a declaration is about. -#}
{% macro declared_populations() -%}
    {%- set declared = segmentations() | map(attribute='population') | list -%}
    {%- set found = {} -%}
    {%- for name, population in populations().items() if name in declared -%}
        {%- do found.update({name: population}) -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}

{#- A CTE for each of those, of its name: its customers with their features, one row each. -#}
{% macro customers_of_populations() -%}
{%- for name, population in declared_populations().items() -%}
{{ name }} as (
    select * from {{ ref(population.model) }}
    where {{ population.condition }}
)
{%- if not loop.last %},

{% endif %}
{%- endfor -%}
{%- endmacro %}

{#- The columns of int_customers_as_of that measure a customer. -#}
{% macro spine_features() -%}
    {{ return(lifetime_features() + windowed_features() | list) }}
{%- endmacro %}

{#- Those since the first line; columns of the mart customers too. -#}
{% macro lifetime_features() -%}
    {{ return([
        'recency_days', 'frequency', 'monetary', 'net_monetary', 'quantity', 'average_basket_value',
        'tenure_days', 'distinct_products', 'return_share',
    ]) }}
{%- endmacro %}

{#- Those over trailing windows, as {monetary_365d: {column: monetary, days: 365}}. Which there are depends on
    the declarations, and the columns of a mart don't, so the mart customer_windows has a row for each window. -#}
{% macro windowed_features() -%}
    {%- set features = {} -%}
    {%- for days in trailing_windows() -%}
        {%- for column in window_features() -%}
            {%- do features.update({column ~ '_' ~ days ~ 'd': {'column': column, 'days': days}}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(features) }}
{%- endmacro %}

{#- Those that can be asked for over the last so many days: monetary_365d. -#}
{% macro window_features() -%}
    {{ return(['frequency', 'monetary', 'net_monetary', 'quantity', 'average_basket_value']) }}
{%- endmacro %}

{#- The lengths in days of the windows that declarations ask for, rising. -#}
{% macro trailing_windows() -%}
    {%- set found = [] -%}
    {%- for declaration in (var('segmentations') or {}).values() if declaration is mapping -%}
        {%- for feature in declaration['features'] or {} -%}
            {%- set asked = modules.re.fullmatch('(' ~ window_features() | join('|') ~ ')_([1-9][0-9]{0,3})d', feature | string) -%}
            {%- if asked -%}
                {%- do found.append(asked.group(2) | int) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(found | unique | sort) }}
{%- endmacro %}

{% macro check_features(place, declaration) -%}
    {%- set features = declaration['features'] -%}
    {%- set population = populations()[declaration['population']] -%}
    {%- if features is not mapping or not features -%}
        {{ stop_at(place ~ '.features', "must map columns to transforms, such as {recency_days: log1p}") }}
    {%- endif -%}
    {%- for feature, transform in features.items() -%}
        {%- if feature in population.profiled and feature not in population.features -%}
            {{ stop_at(place ~ '.features.' ~ feature, feature ~ " can be null, so it places nobody; there are " ~ population.features | join(', ')) }}
        {%- endif -%}
        {%- do check_word(place ~ '.features', feature, population.features) -%}
        {%- do check_word(place ~ '.features.' ~ feature, transform, ['none', 'log1p', 'sqrt', 'rank']) -%}
        {%- if feature.startswith('net_monetary') and transform in ['log1p', 'sqrt'] -%}
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

{% macro check_whole(place, value, least) -%}
    {%- if value is not integer or value is boolean or value < least -%}
        {{ stop_at(place, "must be a whole number from " ~ least ~ " on, got " ~ value) }}
    {%- endif -%}
{%- endmacro %}

{% macro check_word(place, word, allowed) -%}
    {%- if word not in allowed -%}
        {{ stop_at(place, word ~ " is unknown; there are " ~ allowed | join(', ') ~ did_you_mean(word, allowed)) }}
    {%- endif -%}
{%- endmacro %}

{% macro stop_at(place, message) -%}
    {{ stop("var " ~ place ~ " (in dbt_project.yml or VARS): " ~ message) }}
{%- endmacro %}

{#- The allowed word that takes the fewest changes of a letter, if a third of the letters is enough. -#}
{% macro did_you_mean(word, allowed) -%}
    {%- set typed = word | string | lower | replace('-', '_') -%}
    {%- set best = namespace(word=none, changes=1 + (typed | length) // 3) -%}
    {%- for candidate in allowed -%}
        {%- set changes = letters_changed(typed, candidate) -%}
        {%- if changes < best.changes or (changes == best.changes and best.word is none) -%}
            {%- set best.word = candidate -%}
            {%- set best.changes = changes -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(". Did you mean " ~ best.word ~ "?" if best.word is not none else "") }}
{%- endmacro %}

{#- Letters to put in, take out or change until one word is the other (Levenshtein's distance). -#}
{% macro letters_changed(one, other) -%}
    {%- set state = namespace(row=range(other | length + 1) | list) -%}
    {%- for letter in one -%}
        {%- set next_row = [loop.index] -%}
        {%- for other_letter in other -%}
            {%- do next_row.append([
                next_row[-1] + 1,
                state.row[loop.index] + 1,
                state.row[loop.index0] + (0 if letter == other_letter else 1),
            ] | min) -%}
        {%- endfor -%}
        {%- set state.row = next_row -%}
    {%- endfor -%}
    {{ return(state.row[-1]) }}
{%- endmacro %}

{#- A feature after its transform; ranks are taken where the fit says against what. -#}
{% macro transformed(feature, transform) -%}
    {%- if transform == 'log1p' -%}
        ln(1 + cast({{ feature }} as double))
    {%- elif transform == 'sqrt' -%}
        sqrt(cast({{ feature }} as double))
    {%- else -%}
        cast({{ feature }} as double)
    {%- endif -%}
{%- endmacro %}
