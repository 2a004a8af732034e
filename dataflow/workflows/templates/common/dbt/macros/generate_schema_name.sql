{# `+schema: marts` means the schema marts, not main_marts: the warehouse is one, and people type these names. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
