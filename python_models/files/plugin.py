"""The plugin itself, which profiles.yml names."""

import csv
import json
import shutil
import zlib
from pathlib import Path

import duckdb
from dbt.adapters.duckdb.plugins import BasePlugin
from dbt_common.exceptions import DbtRuntimeError

from files.playbook import check_actions, check_claims, check_playbook
from files.publishing import publish
from reading.campaign import land_campaign
from reading.lines import land_lines


class Plugin(BasePlugin):
    """Reads the sources, adds functions to dbt's connection, publishes the marts."""

    def configure_connection(self, conn):
        """Register the functions; called by dbt-duckdb when it has opened the warehouse."""
        self.connection = conn
        self.settings = None
        for name, function, parameters in (
            ("hand_over", self.hand_over, 1),
            ("sweep", sweep, 1),
            ("playbook_fault", playbook_fault, 2),
            ("claims_fault", claims_fault, 3),
            ("actions_fault", actions_fault, 3),
        ):
            conn.create_function(
                name,
                function,
                ["VARCHAR"] * parameters,
                "VARCHAR",
                side_effects=True,
                null_handling="special",
            )

    def hand_over(self, settings):
        """Take the settings, as JSON, by which the next source is read."""
        self.settings = json.loads(settings)
        return ""

    def load(self, source_config):
        """Read a source; called by dbt-duckdb when a model asks for it.

        Parameters
        ----------
        source_config : SourceConfig
            Of the files of the shop, or of the customers of a campaign.

        Returns
        -------
        DataFrame
            The rows of the source.

        Raises
        ------
        DbtRuntimeError
            If it can't be read, with one line that says why.
        """
        is_campaign = source_config.identifier == "campaign_customers"
        subject = "var campaign_customers" if is_campaign else "invoices"
        settings = self.settings
        connection = self.connection.cursor()
        try:
            if is_campaign:
                return land_campaign(
                    connection,
                    settings["campaign_customers"],
                    settings["project"],
                    settings["landing_folder"],
                )
            return land_lines(connection, settings, settings["landing_folder"])
        except (OSError, EOFError, ValueError, zlib.error, duckdb.Error) as error:
            raise DbtRuntimeError(f"{subject}: {' '.join(str(error).split())}") from error
        finally:
            connection.close()

    def store(self, target_config):
        """Publish relations; called by way of ``adapter.store_relation``.

        This is no function for SQL, because a query that runs within another takes twice as long.

        Parameters
        ----------
        target_config : TargetConfig
            With the path of the file for readers, and the relations as ``schema.name``.

        Raises
        ------
        DbtRuntimeError
            If nothing was published, with one line that says why.
        """
        target = Path(target_config.location.path)
        try:
            publish(self.connection, target, target_config.config["relations"])
        except (OSError, ValueError, duckdb.Error) as error:
            reason = " ".join(str(error).split())
            raise DbtRuntimeError(
                f"marts are built but not published to {target}: {reason}"
            ) from error


def sweep(folder):
    """Remove what a run leaves beside the warehouse.

    Parameters
    ----------
    folder : str
        Of the warehouse, which this process holds: no other run has files there.

    Returns
    -------
    str
        Empty.
    """
    for leftover in ("landing", ".published.duckdb.draft", ".scored.duckdb.draft"):
        shutil.rmtree(Path(folder) / leftover, ignore_errors=True)
    return ""


def playbook_fault(path, features):
    """Say what ``playbook.check_playbook`` finds wrong; features are separated by spaces."""
    return fault(check_playbook, path, features.split())


def claims_fault(path, playbook_path, features):
    """Say what ``playbook.check_claims`` finds wrong; features are separated by spaces."""
    return fault(check_claims, path, playbook_path, features.split())


def actions_fault(path, playbook_path, features):
    """Say what ``playbook.check_actions`` finds wrong; features are separated by spaces."""
    return fault(check_actions, path, playbook_path, features.split())


def fault(check, *arguments):
    """Say what a check finds wrong; empty text if nothing is."""
    try:
        check(*arguments)
    except (OSError, ValueError, csv.Error) as error:
        return " ".join(str(error).split())
    return ""
