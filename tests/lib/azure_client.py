#!/usr/bin/python3
"""Azure Blob Storage through Microsoft's own library, as Debian has it (python3-azure-storage): a program that is
independent of ours.

    azure_client.py container NAME | put CONTAINER NAME FILE | get CONTAINER NAME FILE | list CONTAINER
                    uncommitted CONTAINER | properties CONTAINER NAME | sas CONTAINER PERMISSIONS HOURS

The account is that of AZ_ENDPOINT, AZ_ACCOUNT, AZ_KEY and AZ_CA.
"""
import base64
import datetime
import json
import os
import sys

from azure.storage.blob import BlobServiceClient, generate_container_sas


def service():
    env = os.environ
    more = {"connection_verify": env["AZ_CA"]} if env.get("AZ_CA") else {}
    return BlobServiceClient(env["AZ_ENDPOINT"], credential={"account_name": env["AZ_ACCOUNT"], "account_key": env["AZ_KEY"]},
                             retry_total=1, **more)


def main(what, container, *rest):
    client = service().get_container_client(container)
    if what == "container":
        client.create_container()
    elif what == "put":
        with open(rest[1], "rb") as f:
            client.upload_blob(rest[0], f, validate_content=True)
    elif what == "get":
        with open(rest[1], "wb") as f:
            client.download_blob(rest[0], validate_content=True).readinto(f)
    elif what == "list":
        for blob in client.list_blobs():
            print(blob.name)
    elif what == "uncommitted":
        there = {b.name for b in client.list_blobs()}
        for blob in client.list_blobs(include=["uncommittedblobs"]):
            if blob.name not in there:
                print(blob.name)
    elif what == "properties":
        p = client.get_blob_client(rest[0]).get_blob_properties()
        md5 = p.content_settings.content_md5
        print(json.dumps({"size": p.size, "tier": p.blob_tier, "metadata": p.metadata,
                          "type": p.content_settings.content_type,
                          "md5": base64.b64encode(bytes(md5)).decode() if md5 else None}))
    elif what == "sas":
        end = datetime.datetime.utcnow() + datetime.timedelta(hours=float(rest[1]))
        print(generate_container_sas(os.environ["AZ_ACCOUNT"], container, account_key=os.environ["AZ_KEY"],
                                     permission=rest[0], expiry=end))
    else:
        sys.exit("azure_client.py: unknown: %s" % what)


main(*sys.argv[1:])
