{# The wall clock of the configured time zone at an instant in UTC. Summer time included: 02:30 can come twice. #}
{% macro to_local(column) -%}
    (({{ column }} at time zone 'UTC') at time zone '{{ var("timezone") }}')
{%- endmacro %}
