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
